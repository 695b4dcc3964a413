import HTTPCore
import Inference
import JSON
import Scheduling
import Serving
import Synchronization

/// The generation of one text: receives the tokens as they are drawn, and sends them one by one or at the end.
final class GenerationRun: Sendable {
  private struct Progress {
    var text: GeneratedText
    /// Events not written yet.
    var events = EventBuffer()
    /// Whether a delayed write has found the client behind.
    var isBehind = false
    var hasBegun = false
  }

  private let question: GenerationQuestion
  private let call: Call
  private let pacer: StreamPacer
  private let progress: Mutex<Progress>

  init(_ question: GenerationQuestion, for call: Call, pacer: StreamPacer) {
    self.question = question
    self.call = call
    self.pacer = pacer
    progress = Mutex(Progress(text: GeneratedText(of: question)))
  }

  /// Receives the next token, or nil if the scores were not finite, and sends it on if the answer is streamed.
  func receive(_ token: Int32?) -> TokenReply {
    progress.withLock { progress in
      progress.text.append(token)
      if progress.text.end == .notFinite { return .stop }
      guard question.streams else { return progress.text.end == nil ? .goOn : .stop }
      // At the end of the text, `finish` writes whatever is still held, together with the last event.
      let keepsUp = addContent(of: &progress)
      guard progress.text.end == nil else { return .stop }
      guard progress.isBehind else { return keepsUp ? .goOn : .wait }
      // Nothing stays held back while the rider is parked: the client only has to read what was written.
      progress.isBehind = false
      write(&progress)
      return .wait
    }
  }

  /// Ends the text when the engine is done with its rider.
  func finish(_ result: Result<[Prediction], Refusal>) {
    progress.withLock { progress in
      switch result {
      case .failure(.cancelled): call.abandoned()
      case .failure(let refusal): fail(Fault(refusal), &progress)
      case .success where progress.text.end == .notFinite:
        let (model, output) = (question.model.name, question.scoresName)
        fail(Fault(ModelChoiceError.outputNotFinite(model: model, output: output)), &progress)
      case .success(let predictions):
        let decoded = predictions.first?.decoded?.first
        if let decoded, progress.text.finish(decoded.finish), question.streams {
          _ = addContent(of: &progress)
        }
        var answer = JSONWriter()
        answer.raw(#"{"model":"#)
        answer.string(question.model.name)
        if !question.streams {
          answer.byte(",")
          writeContent(of: &progress, to: &answer)
        }
        answer.raw(#","steps":"#)
        answer.integer(progress.text.steps)
        answer.raw(#","finish":"#)
        answer.string((progress.text.end ?? .length).rawValue)
        if let decoded {
          answer.raw(#","score":"#)
          answer.float(Float(decoded.score))
        }
        if let seed = question.seed {
          answer.raw(#","seed":"#)
          answer.integer(seed)
        }
        answer.byte("}")
        guard question.streams else {
          answer.raw("\n")
          return call.answer(.json(answer.bytes))
        }
        _ = progress.events.add(now: pacer.now()) { $0.raw(answer.bytes) }
        write(&progress)
        call.end()
      }
    }
  }

  /// Writes the tokens or text since the last call, and releases them.
  private func writeContent(of progress: inout Progress, to writer: inout JSONWriter) {
    switch progress.text.takePiece() {
    case .tokens(let tokens):
      writer.raw(#""tokens":"#)
      writer.array(tokens) { writer, token in writer.integer(token) }
    case .text(let text):
      writer.raw(#""text":"#)
      writer.string(text)
    }
  }

  /// Adds an event with the tokens or text since the last call, and writes it now or a moment later; returns false if
  /// the client is behind.
  private func addContent(of progress: inout Progress) -> Bool {
    var events = EventBuffer()
    swap(&events, &progress.events)
    let action = events.add(now: pacer.now()) { writer in
      writer.byte("{")
      writeContent(of: &progress, to: &writer)
      writer.byte("}")
    }
    swap(&events, &progress.events)
    switch action {
    case .write: return write(&progress)
    case .writeLater:
      pacer.writeLater { self.writeDue() }
      return true
    case .none: return true
    }
  }

  /// Writes the held events: the delayed write that was scheduled for the first of them.
  private func writeDue() {
    progress.withLock { progress in
      progress.events.endWait()
      if !write(&progress) { progress.isBehind = true }
    }
  }

  /// Writes the held events; returns false if the client is behind.
  @discardableResult
  private func write(_ progress: inout Progress) -> Bool {
    let events = progress.events.flush(now: pacer.now())
    guard !events.isEmpty else { return true }
    if !progress.hasBegun {
      progress.hasBegun = true
      call.begin(.events)
    }
    return call.exchange.write(events)
  }

  /// Answers with an error, or sends the error as the last event if the response has begun.
  private func fail(_ error: Fault, _ progress: inout Progress) {
    let response = error.response
    guard progress.hasBegun else { return call.answer(response) }
    if progress.text.releaseHeld() { _ = addContent(of: &progress) }
    // An error's body is one line of JSON.
    let error = Array(response.body.prefix { $0 != UInt8(ascii: "\n") })
    _ = progress.events.add(isError: true, now: pacer.now()) { $0.raw(error) }
    write(&progress)
    call.end(response.status)
  }
}

extension HTTPResponse {
  /// The head of a stream of server-sent events; its fields ask proxies not to buffer the stream.
  fileprivate static var events: HTTPResponse {
    HTTPResponse(
      status: .ok,
      fields: [
        "content-type": "text/event-stream", "cache-control": "no-store",
        "x-accel-buffering": "no",
      ])
  }
}
