import ModelFormat

/// The implementation of each op, in the order of `ModelDescription.Op.all`.
enum OpTable {
  static let rows: [any OpForward.Type] = [
    EmbeddingForward.self,
    LSTMForward.self,
    GRUForward.self,
    RNNForward.self,
    MLSTMForward.self,
    LinearForward.self,
    LookupForward.self,
    SigmoidForward.self,
    TanhForward.self,
    ReLUForward.self,
    HardSigmoidForward.self,
    HardTanhForward.self,
    GELUForward.self,
    LeakyReLUForward.self,
    ThresholdedReLUForward.self,
    ELUForward.self,
    SoftplusForward.self,
    ScaledTanhForward.self,
    SoftsignForward.self,
    SiLUForward.self,
    SELUForward.self,
    SqrtForward.self,
    SquareForward.self,
    AbsForward.self,
    ExpForward.self,
    LogForward.self,
    Log1pForward.self,
    Expm1Forward.self,
    SinForward.self,
    CosForward.self,
    ClipForward.self,
    SoftmaxForward.self,
    LogSoftmaxForward.self,
    LastForward.self,
    FirstForward.self,
    MeanForward.self,
    MaxForward.self,
    SumForward.self,
    EmbeddingBagForward.self,
    ConvForward.self,
    Conv2DForward.self,
    MaxPoolForward.self,
    AveragePoolForward.self,
    MaskForward.self,
    RepeatForward.self,
    RepeatStepsForward.self,
    SliceStepsForward.self,
    PadStepsForward.self,
    CropOrPadForward.self,
    ReverseForward.self,
    ShiftForward.self,
    ConcatForward.self,
    AddForward.self,
    MultiplyForward.self,
    SubtractForward.self,
    DivideForward.self,
    MinimumForward.self,
    MaximumForward.self,
    WhereForward.self,
    SliceForward.self,
    GatherForward.self,
    TransposeForward.self,
    SoftmaxSumForward.self,
    AttentionForward.self,
    LayerNormForward.self,
    AffineForward.self,
    L2NormForward.self,
    BatchNormForward.self,
    GroupNormForward.self,
    RMSNormForward.self,
    PReLUForward.self,
    Conv1DForward.self,
    MaxPool1DForward.self,
    AveragePool1DForward.self,
    PadForward.self,
  ]

  /// The implementation of `node`, with its weights read and packed.
  static func forward(of weights: NodeWeights) throws(ModelError) -> any OpForward {
    for row in rows {
      if let forward = try row.make(weights) { return forward }
    }
    preconditionFailure("no row for \(weights.node.op.name)")
  }

  /// The cell of a recurrent network in a direction, 0 or 1; nil for other ops.
  static func cell(of op: ModelDescription.Op, direction: Int = 0) -> RecurrentCell? {
    rows.lazy.compactMap { ($0 as? any RecurrentForward.Type)?.cell(of: op, direction) }.first
  }
}

extension OpForward {
  /// Returns nil for a node of another op.
  fileprivate static func make(_ weights: NodeWeights) throws(ModelError) -> (any OpForward)? {
    guard let op = weights.node.op.definition as? Definition else { return nil }
    return try Self(op, weights)
  }
}

extension RecurrentForward {
  /// Returns nil for another op.
  fileprivate static func cell(of op: ModelDescription.Op, _ direction: Int) -> RecurrentCell? {
    (op.definition as? Definition).map { cell($0, direction: direction) }
  }
}
