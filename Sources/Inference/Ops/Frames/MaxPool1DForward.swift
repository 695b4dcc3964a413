import ModelFormat

struct MaxPool1DForward: FramePoolForward {
  let op: MaxPool1DOp

  init(_ op: MaxPool1DOp, _ weights: NodeWeights) { self.op = op }

  func reduce(_ values: ArraySlice<Float>) -> Float {
    values.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
  }
}
