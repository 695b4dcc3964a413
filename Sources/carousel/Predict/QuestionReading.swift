import ArgumentParser
import Inference
import ModelFormat

/// The body to ask with: the bytes of a file themselves, or the array of a .npy file with the options around it.
///
/// - Parameter path: names the file in errors.
func question(
  from bytes: [UInt8], path: String, outputs: Selection.Steps? = nil, horizon: Int? = nil
) throws -> [UInt8] {
  guard NPYFile.isNPY(bytes) else {
    // No text starts with such bytes; archives (.npz) and weights do.
    guard !bytes.prefix(8).contains(where: { $0 < 0x09 || $0 >= 0x7F }) else {
      throw CarouselError.notAnInput(path: path)
    }
    guard outputs == nil, horizon == nil else {
      throw ValidationError("--outputs and --horizon stand in the JSON, unless the input is .npy")
    }
    return bytes
  }
  var members = ["\"inputs\":\(try NPYFile(bytes).json())"]
  if let outputs { members.append("\"outputs\":\(outputs.rawValue.jsonText)") }
  if let horizon { members.append("\"horizon\":\(horizon)") }
  return Array("{\(members.joined(separator: ","))}".utf8)
}
