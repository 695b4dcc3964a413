import HTTPCore
import JSON
import ModelFormat
import Synchronization
import TestSupport
import Testing

@testable import API

extension TestModels {
  /// Foretells a token by the one before it alone. By default each is followed by the next, the last by the first;
  /// `scores` has a row a token. What is above 1.7e38 overflows.
  static func chain(
    size: Int = 4, vocabulary: [String]? = nil, scores: [[Float]]? = nil, name: String = "chain"
  ) throws -> Model {
    let size = vocabulary?.count ?? size
    let table =
      scores
      ?? (0..<size).map { row in (0..<size).map { $0 == (row + 1) % size ? 9 : 0 } }
    return try Model(
      description: ModelDescription(
        name: name, version: "1",
        inputs: [.init(name: "t", kind: .tokens(size: size, vocabulary: vocabulary))],
        nodes: [
          .init(name: "e", op: .embedding, inputs: ["t"]),
          .init(
            name: "next", op: .affine(scale: Array(repeating: 2, count: size), shift: nil),
            inputs: ["e"]),
        ], outputs: [.init(name: "next", forecasts: "t")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize([("e.weight", [size, size], table.flatMap(\.self))])))
  }

  static let letters = ["a", "b", "c", "d"]
}

extension Service {
  /// The answer to one `POST /generate`, a stream collected.
  func generate(
    _ body: String, path: String = "/generate", fields: HTTPFields = [:]
  ) async -> (status: Int, body: String, fields: HTTPFields) {
    let response = await withCheckedContinuation { continuation in
      handle(
        HTTPExchange(
          request: HTTPRequest(
            method: "POST", path: path, fields: fields, body: Array(body.utf8)),
          deliver: { continuation.resume(returning: $0) }))
    }
    return (response.status.code, String(decoding: response.body, as: UTF8.self), response.fields)
  }
}

/// A server-sent event: its name where it has one, and the JSON that it holds.
struct SentEvent: Equatable {
  var name: String?
  var data: String

  /// By the rules of the HTML standard (§9.2.6), for streams of single-line data.
  static func parse(_ text: String) throws -> [SentEvent] {
    try #require(text.hasSuffix("\n\n"))
    return try text.dropLast(2).split(separator: "\n\n", omittingEmptySubsequences: false).map {
      var event = SentEvent(data: "")
      for line in $0.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("event: ") {
          event.name = String(line.dropFirst(7))
        } else {
          try #require(line.hasPrefix("data: ") && event.data.isEmpty)
          event.data = String(line.dropFirst(6))
        }
      }
      return event
    }
  }

  /// A member of the event's object.
  func member(_ name: String) throws -> JSONDocument.Found? {
    let document = try JSONReaderPool().read(Array(data.utf8), maxDepth: 4)
    return try BodyMembers([name], others: .allowed, of: document)[name].map(document.found)
  }

  /// The text that it adds.
  var text: String? {
    get throws {
      guard case .string(let text) = try member("text") else { return nil }
      return text
    }
  }
}
