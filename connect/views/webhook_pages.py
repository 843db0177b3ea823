"""The pages about webhooks, for whichever place they belong to. The views of each place call them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from connect.actors import actor_of
from connect.models import DeliveryState, Webhook
from connect.views.htmx_request import HtmxRequest
from connect.webhooks import administration, log
from connect.webhooks.destination import label_of, site_of
from connect.webhooks.errors import WebhookRefused
from connect.webhooks.forms import WebhookForm
from connect.webhooks.place import Place


def listing(request: HttpRequest, place: Place) -> HttpResponse:
    """The webhooks of a place, and a form for another; after that its secret, once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            webhook, secret = administration.add(
                scope=place.scope,
                company=place.company,
                url=form.cleaned_data["url"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except WebhookRefused as refusal:
            form.add_error("url", str(refusal))
        else:
            return _secret_shown(request, place, webhook, secret, title="The webhook is added")
    context = {
        "rows": [_listed(place, webhook) for webhook in log.overview_of(place.scope)],
        "form": form,
        "most": administration.MOST_WEBHOOKS,
    }
    return _page(request, place, "list", context)


def detail(request: HtmxRequest, place: Place, webhook_id: UUID) -> HttpResponse:
    """One webhook and its messages. The page asks for what changed, with ``?seen=``, while something is on its way."""
    webhook = place.webhook(webhook_id)
    show, before = request.GET.get("show", ""), request.GET.get("before", "")
    page = log.page_of(webhook, show=show, before=before, now=timezone.now())
    if request.htmx and request.GET.get("seen") == page.token:
        return HttpResponse(status=204)
    context = {
        "webhook": webhook,
        "page": page,
        "entries": [(row, *_paths_of(place, webhook, row)) for row in page.rows],
        "show": show if show in DeliveryState.values else "",
        "shows": [("", "All"), *DeliveryState.choices],
        "is_first": not before,
        "here": place.path("webhook", webhook.pk),
        **_ways(place, webhook),
    }
    return _page(request, place, "_log" if request.htmx else "detail", context)


def secret(request: HttpRequest, place: Place, webhook_id: UUID) -> HttpResponse:
    """Ask, then give the webhook another secret and show it, once."""
    webhook = place.webhook(webhook_id)
    refusal = _refused_if_ended(webhook)
    if request.method == "POST" and not refusal:
        try:
            fresh = administration.replace_secret(webhook, actor=actor_of(request), now=timezone.now())
        except WebhookRefused as error:
            refusal = str(error)
        else:
            return _secret_shown(request, place, webhook, fresh, title="The secret is replaced")
    return _page(request, place, "replace_secret", {"webhook": webhook, "refusal": refusal, **_ways(place, webhook)})


def end(request: HttpRequest, place: Place, webhook_id: UUID) -> HttpResponse:
    """End a webhook, after asking."""
    webhook = place.webhook(webhook_id)
    if request.method != "POST":
        return _page(request, place, "end", {"webhook": webhook, **_ways(place, webhook)})
    if administration.end(webhook, actor=actor_of(request), now=timezone.now()):
        messages.success(request, f"The webhook to {site_of(webhook.url)} has ended. Nothing is sent there any more.")
    else:
        messages.info(request, f"The webhook to {site_of(webhook.url)} had ended before.")
    return redirect(place.path("webhooks"))


def test(request: HttpRequest, place: Place, webhook_id: UUID) -> HttpResponse:
    """Send a message that tells of nothing."""
    webhook = place.webhook(webhook_id)
    here = place.path("webhook", webhook.pk)
    try:
        administration.send_test(webhook, link=here, now=timezone.now())
    except WebhookRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "A test is on its way. What comes of it is shown below.")
    return redirect(here)


def message(request: HttpRequest, place: Place, webhook_id: UUID, message_id: UUID) -> HttpResponse:
    """One message: what was sent, and what came back."""
    webhook = place.webhook(webhook_id)
    row = log.row_of(log.message_of(webhook, str(message_id)))
    _, replay_path = _paths_of(place, webhook, row)
    context = {
        "webhook": webhook,
        "row": row,
        "answer": row.message.answer.splitlines(),
        "pretty": log.indented(row.message),
        "replay_path": replay_path,
        **_ways(place, webhook),
    }
    return _page(request, place, "message", context)


def replay(request: HttpRequest, place: Place, webhook_id: UUID, message_id: UUID) -> HttpResponse:
    """Send a message again."""
    webhook = place.webhook(webhook_id)
    try:
        administration.replay(log.message_of(webhook, str(message_id)), now=timezone.now())
    except WebhookRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The message is on its way again. What comes of it is shown below.")
    return redirect(place.path("webhook", webhook.pk))


def _page(request: HttpRequest, place: Place, name: str, context: dict[str, object]) -> HttpResponse:
    values = {**place.context, **context, "place": place, "list_path": place.path("webhooks")}
    return render(request, f"connect/webhooks/{name}.html", values)


def _secret_shown(request: HttpRequest, place: Place, webhook: Webhook, secret: str, *, title: str) -> HttpResponse:
    """The only page that ever holds a secret: it answers the POST that made it, and nothing may keep it."""
    response = _page(
        request, place, "secret", {"webhook": webhook, "secret": secret, "title": title, **_ways(place, webhook)}
    )
    add_never_cache_headers(response)
    return response


def _listed(place: Place, webhook: Webhook) -> tuple[Webhook, str, str]:
    return webhook, label_of(webhook.url), place.path("webhook", webhook.pk)


def _ways(place: Place, webhook: Webhook) -> dict[str, object]:
    return {
        "site": site_of(webhook.url),
        "webhook_path": place.path("webhook", webhook.pk),
        "test_path": place.path("webhook_test", webhook.pk),
        "secret_path": place.path("webhook_secret", webhook.pk),
        "end_path": place.path("webhook_end", webhook.pk),
    }


def _paths_of(place: Place, webhook: Webhook, row: log.LogRow) -> tuple[str, str]:
    """The page of a message, and where to send it again; the latter only where that is possible."""
    view = place.path("webhook_message", webhook.pk, row.message.pk)
    if webhook.ended_at is not None or row.message.state == DeliveryState.DUE:
        return view, ""
    return view, place.path("webhook_replay", webhook.pk, row.message.pk)


def _refused_if_ended(webhook: Webhook) -> str:
    return "This webhook has ended, and signs nothing any more." if webhook.ended_at is not None else ""
