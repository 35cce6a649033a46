# SPDX-License-Identifier: Apache-2.0
"""The worker that one would write in Python: confluent-kafka, the Rust tokenizers, ONNX Runtime int8, padded batches of 32.

At least once: a batch's offsets are committed after its scores were handed to the producer. No windows, no alerts, no metrics."""
import json
import signal
import sys
from pathlib import Path

import numpy
import onnxruntime
from confluent_kafka import Consumer, Producer

from parity import folders

BATCH, WAIT_S, TOKENS_MAX = 32, 0.05, 128


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_tokenizer(folder):
    tokenizer = folders.tokenizer_of_folder(folder)
    tokenizer.enable_truncation(TOKENS_MAX)
    tokenizer.enable_padding()
    return tokenizer


class Scorer:
    def __init__(self, folder, model):
        self.tokenizer, self.session = open_tokenizer(folder), open_session(model)
        self.inputs = [value.name for value in self.session.get_inputs()]
        labels = json.loads((folder / "config.json").read_text())["id2label"]
        self.labels = [labels[str(at)] for at in range(len(labels))]

    def probabilities(self, texts):
        encoded = self.tokenizer.encode_batch_fast(texts)
        ids = numpy.array([item.ids for item in encoded], numpy.int64)
        mask = numpy.array([item.attention_mask for item in encoded], numpy.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        logits = self.session.run(["logits"], {name: feed[name] for name in self.inputs})[0]
        powers = numpy.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def scores(self, records):
        """(key, value) of each record's score"""
        for record, row in zip(records, self.probabilities([record["text"] for record in records]).tolist()):
            label = max(range(len(row)), key=row.__getitem__)
            score = {"entity": record["entity"], "ts": record["ts"], "label": self.labels[label], "score": row[label],
                     "scores": dict(zip(self.labels, row))}
            yield record["entity"], json.dumps(score)


def work(brokers, app, topic, scorer):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"{app}-score", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "compression.type": "lz4"})
    consumer.subscribe([topic])
    while True:
        messages = [message for message in consumer.consume(BATCH, WAIT_S) if not message.error()]
        if not messages:
            continue
        for key, value in scorer.scores([json.loads(message.value()) for message in messages]):
            producer.produce(f"{app}.scores", value, key)
        producer.poll(0)
        consumer.commit(asynchronous=True)


def main():
    brokers, app, topic, folder, model = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work(brokers, app, topic, Scorer(Path(folder), model))


if __name__ == "__main__":
    main()
