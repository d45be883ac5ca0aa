"""A real headless browser for the tests of the report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


def program(name: str) -> str:
    """Path of a program of the browser; without it these tests fail and do not pass unseen."""
    found = shutil.which(name)
    if found is None:
        raise AssertionError(
            f"{name} is not installed: the tests of the report drive a real browser. "
            "Type: apt-get install -y chromium chromium-driver"
        )
    return found


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile; it is closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


def emulate(driver: webdriver.Chrome, *, scheme: str = "light", width: int = 1280) -> None:
    """Colour scheme and width of the screen."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def load(driver: webdriver.Chrome, page: Path, fragment: str = "") -> None:
    """Open a page afresh, with an empty log."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get(page.as_uri() + fragment)


def items(driver: webdriver.Chrome) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, "#list button")


def count(driver: webdriver.Chrome) -> int:
    """Trajectories that pass the filters, as the page says."""
    return int(driver.find_element(By.ID, "count").text.split(" of ")[1])


def press(driver: webdriver.Chrome, element: WebElement) -> None:
    """Click without waiting for the page to have scrolled there."""
    driver.execute_script("arguments[0].click()", element)


def search(driver: webdriver.Chrome, words: str, expected: int) -> None:
    driver.find_element(By.ID, "f-text").send_keys(words)
    WebDriverWait(driver, 5).until(lambda d: count(d) == expected)
