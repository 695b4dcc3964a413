/// Advice for operators that can't be imported.
enum Remedy {
  static let unknownOperator =
    "write model.json by hand around the weights (FORMAT.md), or leave this part out of the export"

  static let loop =
    "export without a loop: in PyTorch torch.onnx.export(model, args, 'model.onnx', dynamo=True) of a module with torch.nn.LSTM; of a Keras model import the .keras file itself"

  static let rounding =
    "round before the model, and let it take the whole numbers as an input of their own: ids as int64, others as floats"

  static let sorting =
    "leave topk out of the export where it is last (answers are the scores); in place of topk(1) take max or argmax"

  static let transposedConvolution =
    "train the model with nn.Upsample(scale_factor=…) and nn.Conv1d in its place, which are carried"

  static let writing =
    "write it with torch.cat or torch.where in place of the assignment, or save it with torch.export.save(torch.export.export(model, (x,)), 'model.pt2')"

  /// The advice by operator.
  static let operators: [String: String] = [
    "Loop": loop, "Scan": loop, "SequenceInsert": loop, "SequenceEmpty": loop,
    "SplitToSequence": loop,
    "SequenceAt": loop, "ConcatFromSequence": loop,
    "TopK": sorting, "ConvTranspose": transposedConvolution,
    "Round": rounding, "Floor": rounding, "Ceil": rounding, "Sign": rounding,
    "ScatterND": writing, "ScatterElements": writing,
    "STFT": "compute the spectrum before the model, and export what follows it",
    "NonZero": "export the model without packed sequences or boolean indexing",
  ]
}
