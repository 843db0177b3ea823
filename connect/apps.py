from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"

    def ready(self) -> None:
        from allauth.account.signals import user_logged_in
        from allauth.usersessions.signals import on_user_logged_in
        from django.contrib.auth import signals

        from connect import lookups, sample_notices, session_store, writers
        from connect.expiry import mail

        # It would look at each session of the person, one by one: `connect.sessions.begin_session` takes its place.
        user_logged_in.disconnect(on_user_logged_in)
        signals.user_logged_in.connect(session_store.note_sign_in)
        for kind in (mail.EXPIRES, mail.EXPIRED):
            writers.register(kind, mail.render)
        lookups.register()
        sample_notices.register_all()
