import JSON
import ModelFormat

/// An activation of a layer's configuration, as ops of the graph.
struct KerasActivation {
  private let recipe: Recipe

  private enum Recipe {
    case identity
    /// Ops in sequence.
    case ops([ModelDescription.Op])
    /// x times the ops' result.
    case gated([ModelDescription.Op])
    /// x minus the op's result.
    case less(ModelDescription.Op)
    case softmax(ModelDescription.Op)
    /// A layer used as an activation.
    case layer(KerasLayer)
  }

  /// - Parameter standard: the activation if the key is absent.
  init(_ layer: KerasLayer, _ key: String, standard: String = "linear") throws(ImportError) {
    switch layer[key] {
    case nil: recipe = try Self.recipe(named: standard, of: layer, key: key)
    case .string(let name): recipe = try Self.recipe(named: name, of: layer, key: key)
    case .some(let value):
      // An object: a named function, a lambda, or a layer.
      if ["__lambda__", nil].contains(value["class_name"]?.string) {
        throw Self.refusal(of: "lambda", layer: layer, key: key)
      } else if let name = value["config"]?.string {
        guard value["module"]?.string != "builtins" || value["registered_name"] == nil else {
          throw Self.refusal(of: name, layer: layer, key: key)
        }
        recipe = try Self.recipe(named: name, of: layer, key: key)
      } else {
        let inner = try KerasLayer(value, in: layer.path, source: layer.source)
        recipe =
          inner.className == "Activation"
          ? try Self(inner, "activation").recipe : .layer(inner)
      }
    }
  }

  var isIdentity: Bool { if case .identity = recipe { true } else { false } }

  private static func refusal(of name: String, layer: KerasLayer, key: String) -> ImportError {
    layer.refusal(
      "\(key): found \(name.jsonExcerpt), a function of one's own or one that is not carried, expected one "
        + "of Keras's: tanh, sigmoid, relu, …",
      remedy: savedApart(layer, key) ?? "build the model with one of those")
  }

  /// The lines that save the function behind the layer, by what it computes; nil for a cell's, which has none behind it, and for
  /// layers that `get_layer` does not find.
  private static func savedApart(_ layer: KerasLayer, _ key: String) -> String? {
    guard key == "activation", KerasCell.kinds[layer.className] == nil, !layer.path.contains("/")
    else { return nil }
    return
      "where it computes with operators and keras.ops, save these in its place, in Keras 3 where the model is in Python: "
      + "l = model.get_layer('\(layer.path)'); f, l.activation = l.activation, keras.activations.linear; c = type(l); call = c.__call__; "
      + "c.__call__ = lambda s, *a, **k: f(call(s, *a, **k)) if s is l else call(s, *a, **k); \(KerasLayerTable.inlined); "
      + "else build the model with one of those"
  }

  private static func recipe(
    named name: String, of layer: KerasLayer, key: String
  ) throws(ImportError) -> Recipe {
    let isKeras3 = layer.source.version >= 3
    switch name {
    case "linear": return .identity
    case "tanh": return .ops([.tanh])
    case "sigmoid": return .ops([.sigmoid])
    case "relu": return .ops([.relu])
    case "hard_sigmoid":
      return .ops([isKeras3 ? .hardSigmoid() : .hardSigmoid(slope: 0.2, offset: 0.5)])
    case "relu6": return .ops([.clip(min: 0, max: 6)])
    case "leaky_relu": return .ops([.leakyReLU(slope: 0.2)])
    case "elu": return .ops([.elu()])
    case "celu": return .ops([.elu()])
    case "selu": return .ops([.selu])
    case "gelu": return .ops([.gelu()])
    case "silu", "swish": return .ops([.silu])
    case "softplus": return .ops([.softplus()])
    case "softsign": return .ops([.softsign])
    case "exponential": return .ops([.exp])
    case "hard_tanh": return .ops([.hardTanh])
    case "log_sigmoid":
      let negative = ModelDescription.Op.affine(scale: [-1], shift: [0])
      return .ops([negative, .softplus(), negative])
    case "mish": return .gated([.softplus(), .tanh])
    case "hard_silu", "hard_swish": return .gated([.hardSigmoid()])
    case "tanh_shrink": return .less(.tanh)
    case "softmax": return .softmax(.softmax)
    case "log_softmax": return .softmax(.logSoftmax)
    default: throw refusal(of: name, layer: layer, key: key)
    }
  }

  /// The op for a recurrent cell; nil if it is the cell's default.
  func cellOp(
    of layer: KerasLayer, key: String, standard: ModelDescription.Op
  ) throws(ImportError) -> ModelDescription.Op? {
    let op: ModelDescription.Op?
    switch recipe {
    case .identity: op = .affine(scale: nil, shift: nil)
    case .ops(let ops): op = ops.count == 1 ? ops[0] : nil
    case .gated, .less, .softmax: op = nil
    case .layer(let inner): op = try KerasActivationLayers.op(of: inner)
    }
    let known = CellActivation.known.map(\.name)
    guard let op, known.contains(op.name) else {
      throw layer.refusal(
        "\(key): found \(layer[key]?.kind ?? ""), which no cell of the graph has, expected one of "
          + known.joined(separator: ", "))
    }
    return op == standard ? nil : op
  }

  /// Adds the activation of a value, with the call's name.
  func apply(
    to value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    switch recipe {
    case .identity: return value
    case .ops(let ops): return try translation.chain(ops, value, for: call)
    case .gated(let ops):
      let gate = try translation.chain(ops, value, for: call, part: "gate")
      return try translation.combine(.multiply, [value, gate], as: value, for: call)
    case .less(let op):
      let other = try translation.map(op, value, for: call, part: op.name)
      return try translation.combine(.subtract, [value, other], as: value, for: call)
    case .softmax(let op):
      return try KerasActivationLayers.softmax(
        &translation, call, value, over: [value.axes.count - 1], op: op)
    case .layer(let layer):
      let inner = call.inside(
        layer, weights: call.weights.part("activation"), arguments: [.value(value)])
      return try translation.call(inner)[0]
    }
  }
}
