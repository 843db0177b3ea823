"""What a search among requests looks for: words, each of which stands in the request, or names whose it is."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from connect.models import AccessRequest, Company, User
from connect.officers import KMP
from kmp.inventory_search import WORDS
from kmp.models import Application
from kmp.serials import read_serial

LENGTH = 200


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
        found &= (
            Q(search_text__contains=word)
            | Q(application__in=Application.objects.filter(name__icontains=word).order_by().values("pk"))
            | Q(officer__in=_officers(word, company).values("pk"))
            | (Q() if company else Q(company__in=_companies(word).values("pk")))
        )
    serial = read_serial(text)
    if serial and serial != text.lower():
        found |= Q(certificate_words__contains=serial)
    return found


def _officers(word: str, company: Company | None) -> QuerySet[User]:
    """People who may have requests: whoever has one was given access to KMP by that company."""
    access = AccessRequest.objects.filter(application=KMP, user=OuterRef("pk"))
    if company is not None:
        access = access.filter(company=company)
    named = User.objects.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return named.filter(Exists(access)).order_by()


def _companies(word: str) -> QuerySet[Company]:
    return Company.objects.filter(Q(name__icontains=word) | Q(cid__icontains=word)).order_by()
