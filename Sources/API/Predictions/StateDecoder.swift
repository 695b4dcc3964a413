import Inference
import JSON
import Serving

/// Decodes the `state` member of a body into the states that its sequences continue from.
struct StateDecoder {
  let document: JSONDocument
  let model: ServedModel
  let fingerprint: ModelFingerprint
  let sealer: StateSealer

  /// Returns a state or nil per sequence. The body has a string or null for a single sequence, or an array of these for
  /// an array of sequences.
  func decode(_ node: Int, for inputs: InputBatch) throws(Fault) -> [SequenceState?] {
    guard inputs.isArray else { return [try state(node, InputPath("state"))] }
    let count = inputs.sequences.count
    guard document.kind(node) == .array, document.count(node) == count else {
      throw Fault(
        BodyError.unexpected(path: "state", found: document.found(node), expected: .states(count)))
    }
    var states: [SequenceState?] = []
    states.reserveCapacity(count)
    var element = node + 1
    for index in 0..<count {
      states.append(try state(element, InputPath("state")[index]))
      element = document.next(element)
    }
    return states
  }

  private func state(_ node: Int, _ path: InputPath) throws(Fault) -> SequenceState? {
    switch document.kind(node) {
    case .null: return nil
    case .string:
      do {
        return try sealer.open(
          document.bytes(node), model: fingerprint, floatCount: model.graph.stateFloatCount)
      } catch {
        throw Fault(StateError.unreadable(path: path.description, model: model.name, error))
      }
    case .false, .true, .number, .numbers, .array, .object:
      throw Fault(
        BodyError.unexpected(
          path: path.description, found: document.found(node), expected: .states(nil)))
    }
  }
}
