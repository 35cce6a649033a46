# SPDX-License-Identifier: Apache-2.0
"""The page in a real Chromium, over page_server's made-up worker; then the API's answers one by one."""
import contextlib
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tiny_model
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(os.environ.get("SQUALL_BUILD", ROOT / "build" / "dev")) / "tests" / "page_server"
CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


@contextlib.contextmanager
def served(*args):
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([SERVER, tiny_model.write(Path(folder) / "minilm-l6"), *args], stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in CHROMIUM:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def size(browser, width, height=900):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})


def opened(browser, url, until, width=1280):
    size(browser, width)
    browser.get_log("browser")
    browser.get(url)
    WebDriverWait(browser, 30).until(lambda driver: until(driver))


def drawn(browser):
    """Every part of the page over a firing worker is there."""
    return all(browser.find_elements(By.CSS_SELECTOR, selector)
               for selector in (".card .quote", ".card svg path", "#entities tbody tr", "#chart-mix path", "#dead li", "#alerts li"))


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def complaints(browser):
    """What the console said: a refused script or style, an exception, a failed request."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def test_a_firing_entity_is_shown_with_its_reasons(browser):
    with served("firing") as url:
        opened(browser, url, drawn)
        assert text(browser, "#headline") == "acme is firing"
        assert text(browser, "#state") == "running"
        assert browser.title.startswith("▲ 1 firing")
        card = text(browser, ".card")
        assert "negative now, usual 14 % (6 to 24)" in card
        assert "30 of 44 in 15 min" in card and "strength 9.5, fires at 3.3" in card and "demo.posts[2]@77" in card
        rows = browser.find_elements(By.CSS_SELECTOR, "#entities tbody tr")
        assert len(rows) == 3 and rows[0].text.startswith("acme") and "critical" in rows[0].text
        assert "as usual" in rows[1].text
        assert text(browser, "#tile-dead") == "2" and len(browser.find_elements(By.CSS_SELECTOR, "#dead li")) == 2
        assert len(browser.find_elements(By.CSS_SELECTOR, "#lag-strip span")) == 6
        assert complaints(browser) == []


def test_an_alert_is_acknowledged_and_silenced_from_its_card(browser):
    with served("firing") as url:
        opened(browser, url, drawn)
        for button, done in (("Acknowledge", "Acknowledged: no more reminders."), ("Silence for 2 h", "Silenced for 2 h.")):
            browser.find_element(By.XPATH, f"//article//button[text()='{button}']").click()
            WebDriverWait(browser, 10).until(expected_conditions.alert_is_present())
            browser.switch_to.alert.send_keys("me")
            browser.switch_to.alert.accept()
            WebDriverWait(browser, 10).until(lambda driver: text(driver, ".card [role=status]") == done)
        assert complaints(browser) == []


def test_texts_stay_texts(browser):
    with served("firing") as url:
        opened(browser, url, drawn)
        assert "<img src=x onerror=alert(1)> it broke" in text(browser, ".card .quote")
        assert not browser.find_elements(By.CSS_SELECTOR, "img[src=x], td b")
        assert '<b>globex</b> & "co"' in text(browser, "#entities")


def test_an_alert_that_resolves_leaves_the_top(browser):
    with served("resolved") as url:
        opened(browser, url, lambda driver: driver.find_elements(By.CSS_SELECTOR, ".card"))
        WebDriverWait(browser, 30).until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, ".card"))
        assert text(browser, "#headline") == "All calm"
        assert "RESOLVED" in text(browser, "#alerts") and "calm again after 2 h" in text(browser, "#alerts")


def test_waiting_is_explained(browser):
    with served("empty") as url:
        opened(browser, url, lambda driver: text(driver, "#state") == "starting")
        assert "No broker answers at 127.0.0.1:9092" in text(browser, "#notice")
        assert "Entities appear with the first message" in text(browser, "main")
        assert "No alert so far" in text(browser, "main")


def test_a_worker_that_is_gone_is_said_to_be(browser):
    with served("calm") as url:
        opened(browser, url, lambda driver: text(driver, "#state") == "running")
    WebDriverWait(browser, 30).until(lambda driver: text(driver, "#state") == "disconnected")
    assert "does not answer" in text(browser, "#notice")


@pytest.mark.parametrize("width", [375, 768, 1280])
def test_nothing_sticks_out(browser, width):
    with served("firing") as url:
        opened(browser, url, drawn, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.execute_script("const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth") <= 0
        if width == 375:
            small = browser.execute_script("return [...document.querySelectorAll('button, input')].filter(n => n.getBoundingClientRect().height < 44).map(n => n.id || n.textContent)")
            assert small == []
    size(browser, 1280)


def contrast(browser, selector):
    """WCAG contrast of a text against the first opaque background behind it."""
    return browser.execute_script("""
        const parse = color => color.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        let node = document.querySelector(arguments[0]);
        const front = light(parse(getComputedStyle(node).color));
        let back;
        for (; node && !back; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] === 1) back = c; }
        const pair = [front, light(back)].sort((a, b) => b - a);
        return (pair[0] + .05) / (pair[1] + .05);""", selector)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(browser, theme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    with served("firing") as url:
        opened(browser, url, drawn)
        for selector in ("#headline", "#subline", ".hint", ".card .flag", ".share b", ".chip", "cite", "td.verdict", ".facts dt", "footer", ".figure small"):
            assert contrast(browser, selector) >= 4.5, selector
        before = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        browser.find_element(By.TAG_NAME, "body").send_keys("t")
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") != before
        browser.execute_script("localStorage.clear()")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_keys_and_filter(browser):
    with served("firing") as url:
        opened(browser, url, lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "#entities tbody tr")) == 3)
        body = browser.find_element(By.TAG_NAME, "body")
        body.send_keys("j")
        assert browser.switch_to.active_element.get_attribute("class") == "card"
        browser.switch_to.active_element.send_keys("j")
        assert browser.switch_to.active_element.tag_name == "tr"
        browser.switch_to.active_element.send_keys("/")
        browser.switch_to.active_element.send_keys("init")
        WebDriverWait(browser, 10).until(lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "#entities tbody tr")) == 1)
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        WebDriverWait(browser, 10).until(lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "#entities tbody tr")) == 3)


# ---- the API ----

def get(url, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def has_a_past(url):
    """It was looked at often enough for courses and series."""
    courses = [entity["course"] for entity in json.loads(get(url + "api/v1/entities")[1])["entities"]]
    return courses and min(map(len, courses)) >= 2 and len(json.loads(get(url + "api/v1/series")[1])["series"]) >= 100


def test_the_api_speaks_json():
    with served("firing") as url:
        end = time.monotonic() + 30
        while not has_a_past(url) and time.monotonic() < end:
            time.sleep(0.2)
        status = json.loads(get(url + "api/v1/status")[1])
        assert status["state"] == "running" and status["lag"] == 30 and len(status["partitions"]) == 6
        assert status["model"]["labels"] == ["negative", "neutral", "positive"]
        assert 0.5 < status["latency_seconds"]["p50"] < 1.5
        entities = json.loads(get(url + "api/v1/entities")[1])["entities"]
        assert [entity["firing"] for entity in entities] == [True, False, False]
        assert all(len(entity["course"]) >= 2 for entity in entities)
        assert len(json.loads(get(url + "api/v1/entities?limit=1")[1])["entities"]) == 1
        assert json.loads(get(url + "api/v1/alerts")[1])["alerts"][0]["alert"]["examples"]
        assert json.loads(get(url + "api/v1/alerts?after=1")[1]) == {"alerts": [], "covered": 12, "partitions": 12}
        assert len(json.loads(get(url + "api/v1/dead-letters")[1])["dead_letters"]) == 2
        series = json.loads(get(url + "api/v1/series")[1])["series"]
        assert len(series) >= 100 and all(len(point) == 7 for point in series)
        assert len(json.loads(get(url + f"api/v1/series?since={series[-3][0]}")[1])["series"]) >= 3
        assert json.loads(get(url + "info")[1])["model"]["name"] == "minilm-l6"
        metrics = get(url + "metrics")[1]
        assert 'squall_kafka_consumer_lag_records{topic="demo.posts",partition="3"} 30' in metrics
        assert 'squall_model_info{model="minilm-l6"' in metrics


def test_probes_follow_the_worker():
    with served("empty") as url:
        assert get(url + "livez")[0] == 200
        code, body = get(url + "readyz")
        assert code == 503 and json.loads(body)["why"] == "no broker answers at 127.0.0.1:9092"
        assert json.loads(get(url + "api/v1/status")[1])["watermark"] is None
    with served("calm") as url:
        assert get(url + "readyz")[0] == 200


def test_beyond_loopback_texts_need_a_token(tmp_path):
    with served("firing", "0.0.0.0:0") as url:
        alert = json.loads(get(url + "api/v1/alerts")[1])["alerts"][0]["alert"]
        assert "examples" not in alert and alert["entity"] == "acme"
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    with served("firing", "0.0.0.0:0", str(token)) as url:
        assert get(url + "api/v1/alerts")[0] == 401
        code, body = get(url + "api/v1/alerts", {"Authorization": "Bearer s3cret"})
        assert code == 200 and "it broke" in body
        assert get(url + "livez")[0] == 200


def test_healthcheck_asks_the_worker():
    squall = SERVER.parents[1] / "squall"
    with served("empty") as url:
        asked = subprocess.run([squall, "healthcheck", "--url", url], capture_output=True, text=True)
        assert asked.returncode == 1 and "starting: no broker answers" in asked.stdout
        assert subprocess.run([squall, "healthcheck", "--url", url, "--live"]).returncode == 0
    assert subprocess.run([squall, "healthcheck", "--url", url], stderr=subprocess.DEVNULL).returncode == 1
    assert subprocess.run([squall, "healthcheck", "--url", "ftp://x"], stderr=subprocess.DEVNULL).returncode == 2
