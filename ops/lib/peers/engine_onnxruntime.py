# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: the graph fused by its transformer optimizer; int8 is its dynamic quantisation, per channel."""
import numpy

from . import export

# Activations are always u8 in dynamic quantisation; weights may be s8 or u8, of 8 or (reduce_range) 7 bits.
QUANTISED = {"u8s8": ("QInt8", False), "u8s7": ("QInt8", True), "u8u8": ("QUInt8", False)}
VARIANTS = {"fp32": ["fused"], "int8": list(QUANTISED)}
NOT_HELD = {"fused", *QUANTISED}  # MLAS reads CPUID and has no switch


def environment(variant):
    return {}


def version():
    import onnxruntime

    return f"ONNX Runtime {onnxruntime.__version__}"


def convert(folder, work, rows):
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    plain, fused = export.onnx_file(folder, work), work / "fused.onnx"
    if not fused.exists():
        shape = export.shape_of(folder)
        model = optimizer.optimize_model(str(plain), model_type="bert", num_heads=shape["num_attention_heads"], hidden_size=shape["hidden_size"])
        model.save_model_to_file(str(fused))
    for name, (weights, seven_bits) in QUANTISED.items():
        if not (work / f"{name}.onnx").exists():
            quantize_dynamic(str(fused), str(work / f"{name}.onnx"), per_channel=True, reduce_range=seven_bits, weight_type=QuantType[weights],
                             extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})  # fused operators have no inferred types


class Runner:
    def __init__(self, folder, work, precision, variant):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(work / f"{variant}.onnx"), options, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]

    def prepare(self, rows):
        ids, mask = export.padded(rows)
        arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        return {name: arrays[name] for name in self.inputs}

    def run(self, batch):
        return self.session.run(["logits"], batch)[0]
