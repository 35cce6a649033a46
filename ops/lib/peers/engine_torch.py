# SPDX-License-Identifier: Apache-2.0
"""PyTorch with transformers' model; int8 is its dynamic quantisation. Compiled or not, whichever is faster."""
from . import export

# int8: which library multiplies; its products can't be compiled. FBGEMM, which x86 may choose too, can't be held to AVX2.
VARIANTS = {"fp32": ["eager", "compiled"], "int8": ["x86", "onednn", "fbgemm"]}
NOT_HELD = {"x86", "fbgemm"}


def environment(variant):
    return {}


def version():
    import torch

    return f"PyTorch {torch.__version__.split('+')[0]}"


def convert(folder, work, rows):
    """transformers reads the folder itself."""


class Runner:
    def __init__(self, folder, work, precision, variant):
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.torch = torch
        self.model = export.torch_model(folder, "sdpa")
        if precision == "int8":
            torch.backends.quantized.engine = variant
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)
        elif variant == "compiled":
            import torch._inductor.config

            torch._inductor.config.freezing = True
            self.model = torch.compile(self.model, dynamic=True)

    def prepare(self, rows):
        ids, mask = (self.torch.from_numpy(array) for array in export.padded(rows))
        # Without padding there is nothing to mask.
        return {"input_ids": ids, "attention_mask": None if mask.all() else mask}

    def run(self, batch):
        with self.torch.inference_mode():
            return self.model(**batch).logits.numpy()
