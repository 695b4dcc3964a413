import API
import Inference
import ModelFormat
import Scheduling
import Serving
import Synchronization

extension FuzzTarget {
  /// Bodies of `POST /predict`: from JSON to checked sequences of a model.
  static let requestJSON = FuzzTarget(name: "request-json") {
    [
      #"{"inputs":[[1,2],[3,4.5e-3]]}"#,
      #"{"model":"echo","inputs":[[[1,2]],[[-0.5,1e30]]],"outputs":"last"}"#,
      #"{"model":"tokens","inputs":[0,1,3],"timeout_ms":100,"return_state":true}"#,
      #"{"model":"tokens","inputs":["ab","b"],"answer":["outputs"]}"#,
      #"{"inputs":[[1,2]],"session":{"id":"a","at":3},"state":null}"#,
      #"{"model":"counter","inputs":[1,2],"horizon":5,"state":"AQE"}"#,
      #"{"inputs":{"x":[[1,2]]},"outputs":{"y":"all"}, "\u0061":"\ud83d\ude00"}"#,
    ].map { Array($0.utf8) }
  } run: { bytes in
    _ = try? service.question(in: bytes)
  }

  /// Models of each kind of input, small.
  static let service: Service = {
    let models = [
      model(
        "echo", .features(size: 2, mean: nil, scale: nil),
        .init(name: "y", op: .affine(scale: [1, 1], shift: nil), inputs: ["x"], weights: nil)),
      model(
        "tokens", .tokens(size: 4, vocabulary: ["a", "b", "ab", "c"]),
        .init(name: "y", op: .embedding, inputs: ["x"], weights: "table"), table: [0, 10, 20, 30]),
      model(
        "counter", .features(size: 1, mean: nil, scale: nil),
        .init(name: "y", op: .last, inputs: ["x"], weights: nil), forecasts: "x"),
    ]
    return Service(
      engines: models.map { model in
        guard let graph = try? ModelGraph(model) else { preconditionFailure("no graph") }
        return (model.description.name, Engine(graph: graph))
      })
  }()

  /// The bytes of the models' files, once more: LeakSanitizer does not find a reference in an enum that marks its case
  /// in the reference's high bits, as `TensorFile` has one.
  private static let files = Mutex<[[UInt8]]>([])

  private static func model(
    _ name: String, _ kind: ModelDescription.Input.Kind, _ node: ModelDescription.Node,
    forecasts: String? = nil, table: [Float] = []
  ) -> Model {
    let tensors =
      table.isEmpty ? [] : [(name: "table.weight", shape: [table.count, 1], floats: table)]
    do {
      let file = try TensorFile.serialize(tensors)
      files.withLock { $0.append(file) }
      return try Model(
        description: ModelDescription(
          name: name, version: "1", inputs: [.init(name: "x", kind: kind)], nodes: [node],
          outputs: [.init(name: "y", forecasts: forecasts)]),
        tensors: TensorFile(bytes: file))
    } catch { preconditionFailure("\(name): \(error)") }
  }

  /// State tokens: as a client sends them, and, as that can't be guessed, with the signature that fits.
  static let stateToken = FuzzTarget(name: "state-token") {
    let state = SequenceState(position: 7, floats: [0.5, -1, 3])
    return StateElement.allCases.compactMap { element in
      sealer.seal(state, as: element, model: fingerprint)
    }
      + [1, 2].map { element in
        [1, element] + fingerprint.bytes + [7, 0, 0, 0, 0, 0, 0, 0]
          + Array(repeating: 0, count: element == 1 ? 12 : 6)
      }
  } run: { bytes in
    for token in [bytes, sealer.sign(bytes)] {
      guard let state = try? sealer.open(token[...], model: fingerprint, floatCount: 3) else {
        continue
      }
      precondition(state.floats.count == 3 && state.floats.allSatisfy(\.isFinite), "a bad state")
      let again = StateElement.allCases.map { sealer.seal(state, as: $0, model: fingerprint) }
      precondition(again[0] != nil, "a state that can't be sealed")
    }
  }

  private static let sealer = StateSealer(key: Array(repeating: 7, count: 32))
  private static let fingerprint = ModelFingerprint(bytes: Array(repeating: 3, count: 16)[...])
}
