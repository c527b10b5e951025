from django.apps import AppConfig

from ui.wording import use_house_words


class UiConfig(AppConfig):
    name = "ui"

    def ready(self) -> None:
        use_house_words()
