/// Advice for operators that can't be imported.
enum Remedy {
  static let unknownOperator =
    "write model.json by hand around the weights (FORMAT.md), or leave this part out of the export"

  static let loop =
    "export without a loop: in PyTorch torch.onnx.export(model, args, 'model.onnx', dynamo=True) of a module with torch.nn.LSTM; of a Keras model import the .keras file itself"

  /// The advice by operator.
  static let operators: [String: String] = [
    "Loop": loop, "Scan": loop, "SequenceInsert": loop, "SequenceEmpty": loop,
    "SplitToSequence": loop,
    "SequenceAt": loop, "ConcatFromSequence": loop,
    "TopK": "leave TopK out of the export: answers are the scores",
    "STFT": "compute the spectrum before the model, and export what follows it",
    "NonZero": "export the model without packed sequences or boolean indexing",
  ]
}
