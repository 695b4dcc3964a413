/// `ModelProto` of onnx.proto: a graph, functions that its nodes may call, and the version of the operators.
struct ONNXModel {
  private(set) var graph: SourceGraph
  private(set) var functions: [String: ONNXFunction] = [:]
  private(set) var producer = ""

  /// Limits, so that a hostile file costs no more than its length.
  enum Limit {
    /// The most levels of nested graphs (If and Loop).
    static let depth = 16
    static let nodes = 200_000
  }

  /// - Parameter file: the file's path; external data is beside it.
  init(_ bytes: [UInt8], file: String) throws(ImportError) {
    var reader = WireReader(bytes)
    var graphs: [WireReader] = []
    var calls: [WireReader] = []
    var opset: Int?
    var foreign: [String: Int] = [:]
    while let field = try reader.next() {
      switch field.number {
      case 2: producer = try reader.string(field)
      case 7: graphs.append(try reader.message(field))
      case 8:
        let (domain, version) = try Self.operatorSet(try reader.message(field))
        if domain.isEmpty || domain == "ai.onnx" {
          opset = version
        } else {
          foreign[domain] = version
        }
      case 25: calls.append(try reader.message(field))
      default: break
      }
    }
    guard graphs.count == 1, let opset else {
      throw reader.malformed(
        graphs.count == 1 ? "no version of ONNX's operators" : "\(graphs.count) graphs", at: 0)
    }
    guard (1...1000).contains(opset) else {
      throw reader.malformed("version \(opset) of ONNX's operators", at: 0)
    }
    var parser = ONNXGraphParser(opset: opset, external: ExternalData(model: file))
    for call in calls {
      let function = try parser.function(call)
      functions[function.op] = function
    }
    graph = try parser.graph(graphs[0], depth: 0)
    graph.externalFiles = parser.external.files
    graph.isFromPyTorch = producer == "pytorch"
    // Other tools' sizes are not known to be an example's.
    if !graph.isFromPyTorch { graph.examples = [:] }
    graph.isFromTensorFlow = producer == "tf2onnx"
  }

  private static func operatorSet(_ message: WireReader) throws(ImportError) -> (String, Int) {
    var reader = message
    var (domain, version) = ("", 1)
    while let field = try reader.next() {
      if field.number == 1 { domain = try reader.string(field) }
      if field.number == 2 { version = try reader.integer(field) }
    }
    return (domain, version)
  }
}

/// `FunctionProto`: the nodes that replace a node whose operator is the function.
struct ONNXFunction {
  var op = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var nodes: [SourceNode] = []
  var defaults: [String: SourceAttribute] = [:]
}
