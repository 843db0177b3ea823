"""What the launcher says once the site works. Its last line is for programs, too: `Ready: ` and the address."""

from __future__ import annotations

from config import env


def say() -> None:
    """Print the accounts (in demo mode), the addresses and, last, the line that programs wait for."""
    address = f"http://localhost:{env.PORT}"
    lines = ["", *_accounts(), *_addresses(address), "", f"Ready: {address}"]
    print("\n".join(lines), flush=True)


def _accounts() -> list[str]:
    if not env.DEMO:
        return []
    from connect.demo import DEMO_ACCOUNTS, DEMO_PASSWORD

    width = max(len(account.email) for account in DEMO_ACCOUNTS)
    heading = f"Accounts, all with the password {DEMO_PASSWORD}:"
    accounts = [
        f"  {account.email:<{width}}  {account.role_text}{', ' if account.company else ''}{account.company}"
        for account in DEMO_ACCOUNTS
    ]
    return [heading, *accounts, ""]


def _addresses(address: str) -> list[str]:
    return [
        "Addresses:",
        f"  {address}/projects/      Developers portal",
        f"  {address}/connect/store/ the Store: access to the Key Management Portal",
        f"  {address}/kmp/           Key Management Portal (KMP)",
        f"  {address}/clinic/        CSR clinic",
        f"  {address}/ca/root.crl    CRL of the root; its CAs' CRLs beside it",
        f"  {address}/readyz         whether everything works",
        "",
        "The live mTLS endpoint, which says what a client certificate is worth, and why:",
        f"  {env.GATEWAY_URLS['sandbox']}/    sandbox",
        f"  {env.GATEWAY_URLS['production']}/    production",
    ]
