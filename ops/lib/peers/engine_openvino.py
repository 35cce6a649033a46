# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: int8 is NNCF's post-training quantisation for transformers, calibrated on the texts that are timed.

bf16 is off for fp32. For int8 the operations that stay floating-point may be fp32 or bf16, whichever is faster."""
import logging

from . import export

CALIBRATION_TEXTS = 300
VARIANTS = {"fp32": ["latency f32", "throughput f32"], "int8": ["latency f32", "latency bf16", "throughput f32"]}
NOT_HELD = {"latency bf16"}  # bf16 is multiplied by AVX-512 alone


def environment(variant):
    return {}


def version():
    import openvino

    return f"OpenVINO {openvino.__version__.split('-')[0]}"


def convert(folder, work, rows):
    import openvino

    plain, quantised = work / "fp32.xml", work / "int8.xml"
    if not plain.exists():
        openvino.save_model(openvino.convert_model(str(export.onnx_file(folder, work))), str(plain), compress_to_fp16=False)
    if not quantised.exists():
        import nncf

        logging.getLogger("nncf").setLevel(logging.WARNING)
        model = openvino.Core().read_model(str(plain))
        names = [value.get_any_name() for value in model.inputs]
        data = nncf.Dataset(rows[:CALIBRATION_TEXTS], lambda row: inputs([row], names))
        openvino.save_model(nncf.quantize(model, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=min(CALIBRATION_TEXTS, len(rows))),
                            str(quantised), compress_to_fp16=False)


def inputs(rows, names):
    ids, mask = export.padded(rows)
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": 0 * ids}
    return {name: arrays[name] for name in names}


class Runner:
    def __init__(self, folder, work, precision, variant):
        import openvino

        hint, rest = variant.split()
        model = openvino.Core().compile_model(str(work / f"{precision}.xml"), "CPU", {
            "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": hint.upper(), "INFERENCE_PRECISION_HINT": rest,
            "ENABLE_CPU_PINNING": False})
        self.names = [value.get_any_name() for value in model.inputs]
        self.request = model.create_infer_request()
        self.output = model.output(0)

    def prepare(self, rows):
        return inputs(rows, self.names)

    def run(self, batch):
        return self.request.infer(batch, share_inputs=True, share_outputs=True)[self.output]
