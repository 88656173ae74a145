"""The page of `pawl view` in a headless Chromium, driven through its debugging pipe.

usage: view_page_test.py PAWL PAWL_EXCHANGE CHROMIUM [SCREENSHOTS]

SCREENSHOTS, a directory, gets pictures of the page at both widths and in both themes.
"""
import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PAWL, EXCHANGE, CHROMIUM, *REST = sys.argv[1:]
SCREENSHOTS = pathlib.Path(REST[0]) if REST else None
SECONDS = 20


class Browser:
    """A page of Chromium, and what it complained about."""

    def __init__(self, home):
        to_read, self.to = os.pipe()
        self.come, from_write = os.pipe()

        # Chromium reads descriptor 3 and writes 4.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "sh", CHROMIUM, "--headless",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={home}", "--remote-debugging-pipe"],
            pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.left = b""
        self.number = 0
        self.complaints = []
        target = self.call("Target.createTarget", session=None, url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", session=None, targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        os.close(self.to)
        self.process.terminate()
        self.process.wait()
        os.close(self.come)

    def _receive(self):
        while b"\0" not in self.left:
            more = os.read(self.come, 1 << 16)
            if not more:
                raise EOFError("Chromium has ended")
            self.left += more
        message, self.left = self.left.split(b"\0", 1)
        message = json.loads(message)
        method = message.get("method", "")
        if method == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"])
        elif method == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.complaints.append(message["params"]["entry"])
        elif method == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not re.match(r"http://127\.0\.0\.1:|data:|about:", url):
                self.complaints.append(url)
        return message

    def call(self, method, session="", **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def value(self, expression):
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait_for(self, expression):
        end = time.monotonic() + SECONDS
        while not self.value(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {expression}")
            time.sleep(0.01)

    def show(self, url, width, theme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait_for("document.body?.dataset.ready === 'yes'")

    def press(self, key, **more):
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **more)

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def picture(self, name):
        if SCREENSHOTS is None:
            return
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(found["data"]))


# Elements that stick out of the page, and texts that are cut without an ellipsis.
CLIPPED = """
[...document.querySelectorAll('body *')].filter((each) => {
  const box = each.getBoundingClientRect();
  const style = getComputedStyle(each);
  const scrolls = each.closest('.table-frame, .answer, .hex, .json, .rows, svg, dialog, select') !== null;
  if (box.width === 0 || scrolls) return false;
  const outside = box.right > innerWidth + 1 || box.left < -1;
  const cut = each.scrollWidth > each.clientWidth + 1 && style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis';
  const placeholder = each.matches('input:placeholder-shown') && each.scrollWidth > each.clientWidth + 1;
  return outside || cut || placeholder;
}).map((each) => `${each.tagName} ${each.id} ${each.className}`)
"""
# Sections that lie on each other.
OVERLAPPING = """
(() => {
  const boxes = [...document.querySelectorAll('header, main > section')].map((each) => each.getBoundingClientRect());
  let count = 0;
  for (let i = 0; i < boxes.length; ++i)
    for (let j = i + 1; j < boxes.length; ++j)
      if (boxes[i].left < boxes[j].right - 1 && boxes[j].left < boxes[i].right - 1 &&
          boxes[i].top < boxes[j].bottom - 1 && boxes[j].top < boxes[i].bottom - 1) ++count;
  return count;
})()
"""


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.journal = os.path.join(cls.home.name, "orders")
        subprocess.run([EXCHANGE, "run", "--commands", "20000", "--segment-bytes", "1048576", cls.journal],
                       check=True, stdout=subprocess.DEVNULL)
        schema = os.path.join(cls.home.name, "hostile.fbs")
        pathlib.Path(schema).write_text("table note { text: string; number: ulong; }\nroot_type note;\n")
        hostile = json.dumps({"text": "<img src=x onerror=alert(1)> \u2028 & \"quoted\"", "number": 2**64 - 1})
        subprocess.run([PAWL, "append", "--schema", schema, "--type", "note", "--type-number", "99",
                        "--stream", "<b>bold</b>", cls.journal], input=hostile, text=True, check=True,
                       stdout=subprocess.DEVNULL)
        cls.view = subprocess.Popen([PAWL, "view", "--json", cls.journal], stdout=subprocess.PIPE, text=True)
        cls.url = json.loads(cls.view.stdout.readline())["url"]
        cls.browser = Browser(os.path.join(cls.home.name, "browser"))

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.view.send_signal(signal.SIGINT)
        cls.view.wait()
        cls.view.stdout.close()
        cls.home.cleanup()

    def tearDown(self):
        complaints, self.browser.complaints = self.browser.complaints, []
        self.assertEqual(complaints, [])

    def show(self, words="", width=1600, theme="light"):
        self.browser.show(f"{self.url}#{words}", width, theme)

    def test_it_fits_both_widths_and_themes(self):
        grounds = set()
        for width in (1600, 400):
            for theme in ("light", "dark"):
                with self.subTest(width=width, theme=theme):
                    self.show("type=filled&at=0", width, theme)
                    self.browser.wait_for("document.querySelectorAll('.fields tbody tr').length > 10")
                    self.assertEqual(self.browser.value(CLIPPED), [])
                    self.assertEqual(self.browser.value(OVERLAPPING), 0)
                    self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
                    grounds.add(self.browser.value("getComputedStyle(document.body).backgroundColor"))
                    self.browser.picture(f"page-{width}-{theme}")
        self.assertEqual(len(grounds), 2)

    def test_it_shows_types_segments_and_events(self):
        self.show()
        self.assertIn("accepted", self.browser.text("#legend"))
        self.assertGreater(self.browser.value("document.querySelectorAll('#chart rect').length"), 20)
        self.assertGreater(self.browser.value("document.querySelectorAll('#strip button').length"), 3)
        self.assertEqual(self.browser.value("document.querySelectorAll('#rows .row').length"), 50)
        self.assertEqual(self.browser.text("#state"), "closed")
        self.browser.value("document.getElementById('check').click()")
        self.browser.wait_for("document.getElementById('check').innerText === 'Verify'"
                              " && document.querySelector('.seg-sound') !== null")
        self.assertEqual(self.browser.value("document.querySelectorAll('#strip .seg-unchecked').length"), 0)

    def test_the_journal_cannot_run_anything_in_the_page(self):
        self.show()
        self.browser.press("n")
        self.browser.value("[...document.querySelectorAll('#rows .row')].at(-1).click()")
        self.browser.wait_for("document.querySelector('#event .json') !== null")
        self.assertIn("<img src=x onerror=alert(1)>", self.browser.text("#event .json"))
        # JavaScript would round it.
        self.assertIn("18446744073709551615", self.browser.text("#event .json"))
        self.assertIn("<b>bold</b>", self.browser.text("#event .facts"))
        self.assertEqual(self.browser.value("document.querySelectorAll('main img').length"), 0)

    def test_the_keyboard_does_all(self):
        self.show()
        self.browser.press("/")
        self.assertEqual(self.browser.value("document.activeElement.id"), "find-at")
        for digit in "100":
            self.browser.press(digit)
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('event-title').innerText === 'Event 100'")
        self.browser.press("Escape")
        self.browser.press("j")
        self.browser.wait_for("document.getElementById('event-title').innerText === 'Event 101'")
        self.browser.press("k")
        self.browser.wait_for("document.getElementById('event-title').innerText === 'Event 100'")
        self.assertIn("event=100", self.browser.value("location.hash"))

        self.browser.press("d")
        for _ in range(3):
            self.browser.press("ArrowRight")
        self.browser.press("ArrowRight", modifiers=8)
        self.assertIn("events", self.browser.text("#density-at"))
        before = self.browser.text("#density-range")
        self.browser.press("Enter")
        self.browser.wait_for(f"document.getElementById('density-range').innerText !== {json.dumps(before)}")
        self.browser.press("Escape")
        self.browser.press("Escape")
        self.browser.wait_for("document.activeElement.id === 'chart'")

        self.browser.press("q")
        self.browser.value("document.getElementById('query').value = 'select count(*) as n from note'")
        self.browser.press("Enter", modifiers=2)
        self.browser.wait_for("document.querySelector('#answer td')?.innerText === '1'")
        self.browser.press("Escape")
        self.browser.press("?")
        self.browser.wait_for("document.getElementById('keys').open")

    def test_the_history_of_a_stream(self):
        self.show("type=filled&at=0")
        self.browser.wait_for("document.querySelector('.facts .link') !== null")
        stream = self.browser.value("document.querySelector('.facts .link').parentElement.querySelector('b').innerText")
        self.browser.press("h")
        self.browser.wait_for("document.getElementById('events-note').innerText.startsWith('stream ')")
        self.assertTrue(self.browser.value(
            f"[...document.querySelectorAll('#rows .row')].every((row) => row.children[3].textContent.startsWith('{stream}@'))"))

    def test_a_wrong_query_is_explained(self):
        self.show()
        self.browser.value("document.getElementById('query').value = 'selekt 1'")
        self.browser.value("document.getElementById('sql-form').requestSubmit()")
        self.browser.wait_for("document.querySelector('#answer .problem') !== null")
        self.assertIn("syntax error", self.browser.text("#answer .problem"))
        # The browser logs the answer's status, 400, as an error.
        self.browser.complaints.clear()

    def test_a_wrong_token_shows_nothing(self):
        self.browser.call("Page.navigate", url=re.sub(r"/[0-9a-f]+/$", "/0/", self.url))
        self.browser.wait_for("document.body?.innerText.includes('lacks the token')")
        self.browser.complaints.clear()


if __name__ == "__main__":
    if not os.access(CHROMIUM, os.X_OK):
        print("skipped: Chromium is not installed (Debian package chromium)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
