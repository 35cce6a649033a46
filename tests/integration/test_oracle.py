# SPDX-License-Identifier: Apache-2.0
"""What the other tests take for all there is."""
import threading

from exactly import open_transaction
from squall import unique


def test_an_open_transaction_is_waited_for(kafka):
    """Reading up to the last stable offset would miss what was committed behind it."""
    topic = unique("open")
    kafka.make_topic(topic, 1)
    stranger = open_transaction(kafka, topic, 0, lasts_s=60)
    kafka.produce(topic, [{"value": b"mine", "partition": 0}])
    assert kafka.ends(topic) == [2]
    threading.Timer(0.5, stranger.abort_transaction).start()
    assert [message.value() for message in kafka.read(topic)] == [b"mine"]
