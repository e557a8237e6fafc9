"""How reports and mails look, put together once: the served bot, mails and the command line dress them the same."""

from bot.config import Config
from bot.settings import Settings
from exporters.brand import Brand
from exporters.mail_writer import MailStyle


def make_brand(settings: Settings, config: Config) -> Brand:
    """Return the configured brand.

    Raises:
        ConfigError: the logo cannot be read, or is none.
    """
    return config.brand.to_brand(settings.config_folder)


def make_style(settings: Settings, config: Config) -> MailStyle:
    """Return the configured style, whose buttons lead to the dashboard where there is one.

    Raises:
        ConfigError: the logo cannot be read, or the dashboard's address is none.
    """
    return MailStyle(brand=make_brand(settings, config), dashboard_url=config.email.dashboard_url)
