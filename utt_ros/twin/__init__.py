"""Live twin: particle filter, model inference and predictions; numpy and onnxruntime only."""
