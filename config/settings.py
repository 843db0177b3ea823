"""Django's settings, one file for every way to run. What differs comes from ``config.env``."""

from __future__ import annotations

from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from config import env, error_reports, log_settings, queues, schedule

BASE_DIR = env.BASE_DIR
DEBUG = env.DEBUG
DEMO = env.DEMO
SECRET_KEY = env.SECRET_KEY
ALLOWED_HOSTS = env.ALLOWED_HOSTS
SITE_URL = env.SITE_URL
STATE_DIR = env.STATE_DIR
REDIS_URL = env.REDIS_URL
HTTPS = SITE_URL.startswith("https://")
BEHIND_PROXY = env.BEHIND_PROXY
METRICS_ADDRESSES, METRICS_TOKEN = env.METRICS_ADDRESSES, env.METRICS_TOKEN

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "gateway",
    "portal",
    "kmp",
    "connect",
    "certauthority",
    "audit",
]

MIDDLEWARE = [
    "connect.request_ids.RequestIdMiddleware",
    "connect.client_addresses.ClientAddressMiddleware",
    "connect.request_times.RequestTimesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "connect.plain_requests.PlainRequestsMiddleware",
    "connect.private_key_guard.PrivateKeyGuard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "connect.sign_in_middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "connect.sessions.LastSeenMiddleware",
    "connect.two_factor_middleware.TwoFactorMiddleware",
    "connect.denials.DenialMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [f"connect.templatetags.{name}" for name in ("addresses", "look", "recency")],
        },
    }
]


def _database() -> dict[str, Any]:
    if env.DATABASE_URL:
        database: dict[str, Any] = dict(
            dj_database_url.parse(env.DATABASE_URL, conn_max_age=60, conn_health_checks=True)
        )
        if database["ENGINE"] == "django.db.backends.postgresql":
            options = database.setdefault("OPTIONS", {})
            # A server whose machine is gone answers nothing, not even that: in milliseconds, then in seconds.
            options |= {"connect_timeout": 5, "tcp_user_timeout": 15_000} | options
            options |= {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3} | options
            options |= {"server_side_binding": True, "prepare_threshold": 5} | options
            options.setdefault("options", "-c statement_timeout=30000 -c timezone=UTC")
        return database
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "rehearsal.sqlite3",
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A writer takes its lock at the start, so that two of them queue instead of failing half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


DATABASES = {"default": _database()}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "rehearsal",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# People and sign-in
AUTH_USER_MODEL = "connect.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:projects"
ACCOUNT_ADAPTER = "connect.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Lock-out after failed sign-ins is `connect.accounts`; the library's own limits would answer first and differently.
ACCOUNT_RATE_LIMITS = False
SIGN_IN_FAILURES = 10
SIGN_IN_LOCK_SECONDS = 30 * 60
DENIALS_AN_HOUR = 60  # Refusals of one person that are in the audit log
# The second step of sign-in: codes of an authenticator app, recovery codes, and passkeys (after the password, not
# instead of it). `connect.second_factors` keeps them; the library's own pages are not used.
TWO_FACTOR_REQUIRED = env.TWO_FACTOR_REQUIRED
MFA_ADAPTER = "connect.second_factor_adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_COUNT = 10
MFA_TOTP_ISSUER = "mTLS Rehearsal"
# How long a person who has just confirmed who they are may change how they sign in.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60

# Mail: to the server that EMAIL_URL names, and in demo mode without one to the page `Mailbox`
HAS_MAILBOX = env.MAIL_SERVER is None
if env.MAIL_SERVER is None:
    EMAIL_BACKEND = "connect.mailbox.MailboxBackend"
else:
    EMAIL_HOST = env.MAIL_SERVER.host
    EMAIL_PORT = env.MAIL_SERVER.port
    EMAIL_HOST_USER = env.MAIL_SERVER.user
    EMAIL_HOST_PASSWORD = env.MAIL_SERVER.password
    EMAIL_USE_TLS = env.MAIL_SERVER.scheme == "submission"
    EMAIL_USE_SSL = env.MAIL_SERVER.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.MAIL_FROM
NOTICE_MAX_ATTEMPTS = 40
NOTICE_SAMPLES_AN_HOUR = 20
# Days before a certificate's end when people are told of it; below zero after it.
NOTICE_THRESHOLD_DAYS = (90, 60, 30, 14, 7, 3, 1, 0, -7)
CLOCK_MOST_YEARS_AHEAD = 5
CALENDAR_READS_AN_HOUR = 60
WEBHOOK_ALLOW_PRIVATE = env.WEBHOOK_ALLOW_PRIVATE
SNOOZE_MOST_MONTHS = 13
SNOOZE_LINK_DAYS = 120  # of real time, for the signed link in the mails

# Static files: served by WhiteNoise under names that change with their content, in every mode.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = STATE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Time and language
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"

# What a browser may do with our pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# With TLS under names that browsers take from this very host alone (`__Host-`).
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (f"{'__Host-' if HTTPS else ''}{name}" for name in ("sessionid", "csrftoken"))
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "connect.session_store"
SESSION_COOKIE_AGE = 12 * 60 * 60  # From sign-in on, whatever is done
SESSION_IDLE_SECONDS = env.SESSION_IDLE_MINUTES * 60  # From the last thing that somebody did
SECURE_SSL_REDIRECT = HTTPS
# nginx ends TLS in front of us: only then may this header be believed.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.BEHIND_PROXY else None
# Relying parties fetch CRLs and CA certificates, and ask OCSP, over plain http (RFC 5280, 8).
SECURE_REDIRECT_EXEMPT = [r"^ca/", r"^ocsp/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# Uploads: forms check each file's own limit; these bound a whole request.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 2
FILE_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024

# The certificate authority: one place for what somebody who knows the originals better may want to change.
CA_DIRECTORY = STATE_DIR / "ca"
CA_KEY_PASSPHRASE = env.CA_KEY_PASSPHRASE
SIGNS, SIGNER = env.SIGNS, env.SIGNER
PKCS11_MODULE, PKCS11_TOKEN, PKCS11_PIN = env.PKCS11_MODULE, env.PKCS11_TOKEN, env.PKCS11_PIN
CA_KEY_ALGORITHM = env.CA_KEY_ALGORITHM
CA_ORGANISATION = "mTLS Rehearsal"
CA_ROOT_YEARS = 25
CA_ISSUING_YEARS = 15
CLIENT_CERTIFICATE_MONTHS = 13
CRL_LIFETIME_HOURS = 24
CRL_MINUTE, CRL_SHARDS = schedule.CRL_MINUTE, env.CRL_SHARDS
PROJECT_MAX_ADMINS = 10
PROJECT_MAX_MEMBERS = 20
EXPIRING_SOON_DAYS = 30

# The live mTLS endpoint
GATEWAY_URLS, CERTIFIED_HOSTS = env.GATEWAY_URLS, env.CERTIFIED_HOSTS
GATEWAY_PORTS = {"sandbox": env.GATEWAY_PORT, "production": env.GATEWAY_PROD_PORT}
GATEWAY_BIND = env.GATEWAY_BIND
GATEWAY_CONNECTIONS_PER_ADDRESS = 100  # From other machines, at one time
GATEWAY_TLS12 = env.GATEWAY_TLS12
GATEWAY_FRONT_SECRET = env.GATEWAY_FRONT_SECRET
GATEWAY_FRONT_ADDRESSES = env.GATEWAY_FRONT_ADDRESSES
GATEWAY_DIRECTORY = STATE_DIR / "gateway"

# The Key Management Portal
KMP_MIN_OFFICERS = 2
# How long an automatic review takes: long enough in the demo to be seen.
KMP_AUTOMATIC_REVIEW_SECONDS = 3 if DEMO else 30

# Background work
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 3,
    "socket_connect_timeout": 1,
    # Whoever sends a message waits for no second attempt: a sweep finds the work. Workers and beat do try again.
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_QUEUES = queues.taken(signs=env.SIGNS)
CELERY_TASK_ROUTES = queues.ROUTES
CELERY_BEAT_SCHEDULE = schedule.SCHEDULE

LOGGING = log_settings.LOGGING
error_reports.start(env.SENTRY_DSN, environment=env.MODE)
