import Inference

extension Tensor {
  /// Predictions as tensors: the one place where answers become some.
  ///
  /// - Parameters:
  ///   - names: those of the predictions' outputs.
  ///   - isArray: whether a tensor has an axis of sequences, be there one. Where sequences have answers of
  ///     different lengths each has a tensor of its own, `NAME.0` and so on.
  package static func answers(
    named names: [String], _ predictions: [Prediction], isArray: Bool
  ) -> [Tensor] {
    var tensors: [Tensor] = []
    for (index, name) in names.enumerated() {
      let parts = predictions.map { $0.outputs[index] }
      let shapes = parts.map { part in (part.rows.map { [$0] } ?? []) + [part.size] }
      func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> Tensor {
        Tensor(name, shape: shape, .floats(values, values.indices))
      }
      if !isArray {
        tensors.append(tensor(name, shapes[0], parts[0].values))
      } else if shapes.allSatisfy({ $0 == shapes[0] }) {
        let values = parts.count == 1 ? parts[0].values : parts.flatMap(\.values)
        tensors.append(tensor(name, [parts.count] + shapes[0], values))
      } else {
        for (number, part) in parts.enumerated() {
          tensors.append(tensor("\(name).\(number)", shapes[number], part.values))
        }
      }
    }
    return tensors
  }
}
