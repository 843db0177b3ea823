"""What a search among requests looks for: words, each of which stands in the request, or names whose it is."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from connect.models import AccessRequest, Company, User
from connect.officers import KMP
from kmp.inventory_search import WORDS
from kmp.models import Application
from kmp.serials import read_serial

LENGTH = 200
# As many keys are written into the question itself. The database then knows that most words name nobody.
_WRITTEN = 100


def words_of(text: str) -> tuple[str, ...]:
    """The words that are looked for: the first five that differ."""
    return tuple(dict.fromkeys(text.lower().split()))[:WORDS]


def has_too_many_words(text: str) -> bool:
    """Whether some words are not looked for."""
    return len(set(text.lower().split())) > WORDS


def found_by(text: str, *, company: Company | None = None) -> Q:
    """Requests of a company, or of all, in which each word stands; or those whose certificate has this serial number.

    Names of applications, people and companies are looked up where they stand, so that a new name is found at once.
    """
    found = Q()
    for word in words_of(text):
        stands = Q(search_text__contains=word)
        stands |= _among("application", Application.objects.filter(name__icontains=word))
        stands |= _among("officer", _officers(word, company))
        if company is None:
            stands |= _among("company", Company.objects.filter(Q(name__icontains=word) | Q(cid__icontains=word)))
        found &= stands
    serial = read_serial(text)
    if serial and serial != text.lower():
        found |= Q(search_text__contains=serial)
    return found


def _among(name: str, named: QuerySet[Application] | QuerySet[User] | QuerySet[Company]) -> Q:
    keys = named.order_by().values_list("pk", flat=True)
    few = list(keys[: _WRITTEN + 1])
    return Q(**{f"{name}__in": few if len(few) <= _WRITTEN else keys})


def _officers(word: str, company: Company | None) -> QuerySet[User]:
    """People who may have requests: whoever has one was given access to KMP by that company."""
    access = AccessRequest.objects.filter(application=KMP, user=OuterRef("pk"))
    if company is not None:
        access = access.filter(company=company)
    return User.objects.filter(Q(name__icontains=word) | Q(email__icontains=word)).filter(Exists(access))
