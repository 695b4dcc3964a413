import ArgumentParser
import Inference
import ModelFormat

/// The body to ask with: the bytes of a file themselves, or the arrays of a .npy or .npz file with the options around them.
///
/// - Parameters:
///   - path: names the file in errors.
///   - inputs: the model's, whose kinds tell what an array's axes are.
func question(
  from bytes: [UInt8], path: String, inputs: [ModelDescription.Input],
  outputs: Selection.Steps? = nil, horizon: Int? = nil
) throws -> [UInt8] {
  let arrays: String
  if NPYFile.isNPY(bytes) {
    guard inputs.count == 1 else { throw CarouselError.oneArray(inputs: inputs.map(\.name)) }
    arrays = try NPYFile(bytes).json(for: inputs[0])
  } else if NPZFile.isZip(bytes) {
    arrays = try NPZFile(bytes).json(for: inputs)
  } else {
    // No text starts with such bytes, but for one in another encoding, which is refused as what it is; weights and other
    // archives do.
    let isText =
      byteOrderMarks.contains { bytes.starts(with: $0) }
      || !bytes.prefix(8).contains { $0 < 0x09 || $0 >= 0x7F }
    guard isText else { throw CarouselError.notAnInput(path: path) }
    guard outputs == nil, horizon == nil else {
      throw ValidationError(
        "--outputs and --horizon stand in the JSON, unless the input is .npy or .npz")
    }
    return bytes
  }
  var members = ["\"inputs\":\(arrays)"]
  if let outputs { members.append("\"outputs\":\(outputs.rawValue.jsonText)") }
  if let horizon { members.append("\"horizon\":\(horizon)") }
  return Array("{\(members.joined(separator: ","))}".utf8)
}

/// What stands before a text to tell that it is UTF-8 or UTF-16.
private let byteOrderMarks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]]

extension NPZFile {
  /// The arrays of the model's inputs; a single one needs no name.
  fileprivate func json(for inputs: [ModelDescription.Input]) throws(CarouselError) -> String {
    let expected = inputs.map(\.name)
    if inputs.count == 1, names.count == 1 {
      return try texts(of: [0]) { (_, array) throws(CarouselError) in
        try array.json(for: inputs[0])
      }[0]
    }
    guard names.sorted() == expected.sorted() else {
      throw .arrayNames(found: names, expected: expected)
    }
    // Each name is there.
    let places = expected.compactMap { names.firstIndex(of: $0) }
    let members = try texts(of: places) { (place, array) throws(CarouselError) in
      let input = inputs.first { $0.name == names[place] } ?? inputs[0]
      return "\(input.name.jsonText):\(try array.json(for: input))"
    }
    return "{\(members.joined(separator: ","))}"
  }
}

extension NPYFile {
  /// The array as the input's JSON. Of a model of one feature, whose steps are numbers there, the features are the last
  /// axis where that has the length 1: `[T, 1]` is one sequence, `[B, T, 1]` are B.
  fileprivate func json(for input: ModelDescription.Input) throws(CarouselError) -> String {
    let hasAxisOfOne =
      if case .features(size: 1, _, _) = input.kind {
        header.shape.count > 1 && header.shape.last == 1
      } else { false }
    let isWhole = if case .tokens = input.kind { true } else { false }
    return try json(leavesOutLastAxis: hasAxisOfOne, isWhole: isWhole)
  }
}
