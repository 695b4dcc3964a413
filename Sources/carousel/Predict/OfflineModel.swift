import API
import Dispatch
import HTTPCore
import Inference
import Scheduling
import Serving
import Synchronization

/// A model that answers in this process, without a server's limits, as there are no other clients.
struct OfflineModel {
  let graph: ModelGraph
  private let engine: Engine
  private let service: Service

  private static let plenty = Int(Int32.max)

  /// - Parameter stateKey: the key that signs states; nil for a random one.
  init(_ graph: ModelGraph, stateKey: [UInt8]? = nil) {
    var settings = ServiceSettings()
    settings.stateKey = stateKey
    settings.questions.maxSequencesPerRequest = Self.plenty
    settings.questions.maxSequenceSteps = Self.plenty
    settings.questions.maxHorizon = Self.plenty
    settings.maxAnswerBytes = .max
    settings.maxDecodingOperations = .max
    self.graph = graph
    engine = Engine(
      graph: graph,
      limits: EngineLimits(
        workers: AvailableCores().count, maxQueuedSequences: Self.plenty,
        maxQueuedSteps: Self.plenty))
    service = Service(
      engines: [(graph.model.description.name, engine)], settings: settings,
      memory: MemoryBudget(limit: .max))
  }

  /// The server's answer to the body of a `POST /predict`.
  func answer(to body: [UInt8]) -> HTTPResponse {
    waitFor { done in
      service.handle(
        HTTPExchange(
          request: HTTPRequest(method: "POST", path: "/predict", body: body), deliver: done))
    }
  }

  /// The question in the body of a `POST /predict`.
  func question(in body: [UInt8]) throws(CarouselError) -> Question {
    do { return try service.question(in: body) } catch { throw .refused(reason: "\(error)") }
  }

  /// The question of an input; errors name the input's origin.
  func question(in input: QuestionInput) throws(CarouselError) -> Question {
    do throws(CarouselError) {
      switch input.content {
      case .json(let body): return try question(in: body)
      case .columns(let columns, let outputs, let horizon):
        do { return try service.question(columns, outputs: outputs, horizon: horizon) } catch {
          throw .refused(reason: "\(error)")
        }
      }
    } catch {
      throw .inInput(origin: input.origin, error)
    }
  }

  /// The server's answer to `question`, as text.
  func answerText(
    to question: Question, _ predictions: [Prediction]
  ) throws(CarouselError) -> [UInt8] {
    do { return try service.answerText(to: question, predictions) } catch {
      throw .refused(reason: "\(error)")
    }
  }

  /// The predictions for a sample, in its sequences' order.
  func predictions(for sample: Sample) throws(CarouselError) -> [Prediction] {
    let result = waitFor { done in
      engine.predict(
        sample.sequences, selection: sample.selection, horizon: sample.horizon,
        decoding: sample.decoding, completion: done)
    }
    do { return try result.get() } catch { throw .refused(reason: "\(error)") }
  }

  /// Waits for the value that `start` passes to its callback, perhaps later and from another thread.
  private func waitFor<Value: Sendable>(
    _ start: (_ done: @escaping @Sendable (Value) -> Void) -> Void
  ) -> Value {
    let value = Mutex<Value?>(nil)
    let isDone = DispatchSemaphore(value: 0)
    start { passed in
      value.withLock { $0 = passed }
      isDone.signal()
    }
    isDone.wait()
    guard let value = value.withLock({ $0 }) else { preconditionFailure("signalled before set") }
    return value
  }
}
