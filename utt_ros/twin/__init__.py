"""The live twin: belief, inference and predictions; numpy and onnxruntime only."""
