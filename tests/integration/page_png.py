# SPDX-License-Identifier: Apache-2.0
"""Makes ops/docs/page.png: runs `squall demo`, waits until its alert fires with examples, holds the page still, and takes the picture.

    build/venv/bin/python tests/integration/page_png.py [OUT.png [light|dark [WIDTH]]]
"""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parents[2]
SQUALL = Path(os.environ.get("SQUALL_BUILD", ROOT / "build" / "release")) / "squall"
CHROMIUM = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars"]
# Three examples on the card and a course that left its band; then no frame is drawn any more.
HOLD = """
window.held = false;
setInterval(() => {
  const card = document.querySelector('.card'), share = card && parseInt(card.querySelector('.share b').textContent, 10);
  const episode = card && card.querySelector('.episode');
  if (!window.held && share >= 60 && episode && episode.getAttribute('width') > 10 && card.querySelectorAll('.quote').length >= 3 && document.querySelector('#entities tr.firing')) {
    window.requestAnimationFrame = () => 1;
    window.held = true;
  }
}, 50);
"""


def main(out=str(ROOT / "ops/docs/page.png"), theme="light", width="1280"):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in CHROMIUM:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    demo = subprocess.Popen([SQUALL, "demo", "--port", "8099"], stdout=subprocess.PIPE, text=True)
    try:
        url = next(match[0] for match in (re.search(r"http://127\S+", line) for line in demo.stdout) if match)
        size = {"width": int(width), "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
        browser.get(url)
        browser.execute_script(HOLD)
        deadline = time.monotonic() + 1200
        while not browser.execute_script("return window.held"):
            over = "RESOLVED" in browser.find_element("id", "alerts").text
            if over or time.monotonic() > deadline:
                sys.exit("the alert came and went before the picture was taken: try again on a machine with less to do")
            time.sleep(0.2)
        size["height"] = browser.execute_script("return document.documentElement.scrollHeight")
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.save_screenshot(out)
    finally:
        browser.quit()
        demo.send_signal(signal.SIGINT)
        demo.communicate()


main(*sys.argv[1:])
