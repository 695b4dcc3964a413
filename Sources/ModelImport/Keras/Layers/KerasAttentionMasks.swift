import JSON
import ModelFormat

/// The masks that a call of an attention layer names.
struct KerasAttentionMasks {
  /// The mask of the keys, beside those of the inputs.
  private(set) var keys: [KerasMask] = []
  /// Whether a query is kept from later keys, by an array of the file.
  private(set) var isCausal = false

  /// - Parameter inputs: The queries, values and, if the call names them, the keys.
  init(
    _ call: KerasCall, of inputs: [KerasValue], _ translation: inout KerasTranslation
  ) throws(ImportError) {
    var named = call.named.filter { $0.key.hasSuffix("mask") && $0.key != "use_causal_mask" }
    if let place = named.firstIndex(where: { $0.key == "mask" }),
      case .list(let masks) = named[place].value
    {
      let keys = ["query_mask", "value_mask"]
      named.replaceSubrange(place...place, with: zip(keys, masks).map { ($0, $1) })
    }
    for (key, operand) in named {
      if case .constant(.null) = operand {
        guard call["mask"] == nil || inputs[key == "query_mask" ? 0 : 1].mask == nil else {
          throw Self.refusal(key, call, "no mask in the place of the input's own")
        }
        continue
      }
      switch key {
      case "query_mask":
        guard case .value(let value) = operand, case .mask(let mask) = value.content,
          mask == inputs[0].mask
        else {
          throw Self.refusal(key, call, "a mask of the queries that is not their own")
        }
      case "attention_mask": try addAttention(operand, call, inputs, &translation)
      default: try add(operand, key, call, inputs, &translation)
      }
    }
  }

  /// A mask of the queries and keys: one of the keys for all queries, or an array that is causal.
  private mutating func addAttention(
    _ operand: KerasCall.Operand, _ call: KerasCall, _ inputs: [KerasValue],
    _ translation: inout KerasTranslation
  ) throws(ImportError) {
    let key = "attention_mask"
    if case .value(var value) = operand {
      guard (2...3).contains(value.axes.count), value.axes.dropLast().allSatisfy({ $0 == .size(1) })
      else {
        throw Self.refusal(key, call, "a mask of the sizes \(value.shape), of each query its own")
      }
      value.axes.removeFirst(value.axes.count - 1)
      return try add(.value(value), key, call, inputs, &translation)
    }
    guard let table = KerasFunctionCall.constant(operand).flatMap({ KerasTable($0) }),
      let steps = table.shape.last, table.shape.dropLast(2).allSatisfy({ $0 == 1 }),
      table.shape.suffix(2) == [steps, steps], inputs.allSatisfy({ $0.stepCount == steps }),
      table.floats.indices.allSatisfy({
        (table.floats[$0] != 0) == ($0 / steps >= $0 % steps)
      })
    else { throw Self.refusal(key, call, "an array that is not causal") }
    isCausal = true
    for value in inputs { KerasLength.keep(&translation, value, steps: steps, in: call.layer) }
  }

  private mutating func add(
    _ operand: KerasCall.Operand, _ key: String, _ call: KerasCall, _ inputs: [KerasValue],
    _ translation: inout KerasTranslation
  ) throws(ImportError) {
    guard case .value(let value) = operand else {
      throw Self.refusal(key, call, "a list or an array")
    }
    let keys = key == "key_mask" ? inputs[inputs.count - 1] : inputs[1]
    let mask = try KerasMaskNodes.mask(value, of: keys, for: call, key: key, &translation)
    // What the call names is in the place of the input's own.
    guard key == "attention_mask" || [nil, mask].contains(keys.mask) else {
      throw Self.refusal(key, call, "a mask that is not the input's own")
    }
    guard mask != .nothing else { throw Self.refusal(key, call, "a mask of everything") }
    if mask != .everything { self.keys.append(mask) }
  }

  private static func refusal(_ key: String, _ call: KerasCall, _ found: String) -> ImportError {
    call.layer.refusal(
      "\(key): found \(found), which is not carried",
      remedy:
        "call the layer with use_causal_mask=True for a causal mask, with value_mask= of true or false for each step, or put "
        + "Embedding(mask_zero=True) or Masking before it, and save the model again")
  }
}
