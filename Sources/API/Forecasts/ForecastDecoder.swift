import Inference
import JSON
import ModelFormat
import Serving

/// Decodes the body of `POST /v1/timeseries/forecast` into a question, checked against its model.
///
/// The schema is KServe's `ForecastRequest`, in kserve/kserve, python/kserve/kserve/protocol/rest/timeseries/types.py:
/// the names and types of members, and which are optional. As there, every object may have members of other names,
/// which mean nothing; `metadata` is treated like those, since nothing here depends on it. Such members are not read,
/// so they may hold any JSON.
struct ForecastDecoder {
  let document: JSONDocument
  let models: ModelSnapshot
  let limits: QuestionLimits

  /// The paths of the members that are read.
  static let members =
    ["model", "inputs", "options", "options.horizon", "options.quantiles"]
    + inputMembers.map { "inputs.\($0)" }

  func decode() throws(Fault) -> ForecastQuestion {
    let members = try BodyMembers(["model", "inputs", "options"], others: .allowed, of: document)
    let model = try models.model(try members.string("model"))
    guard let forecast = model.graph.forecast,
      case .features(let size, _, _) = model.inputs[forecast.input].kind
    else {
      throw Fault(
        ForecastError.noTimeSeries(
          model: model.name, ForecastGap(in: model, ofTokens: false),
          known: models.models.filter { $0.graph.forecast != nil }.map(\.name)))
    }
    let (horizon, quantiles) = try options(try members.node("options"), of: model)
    let (series, sequences) = try inputs(try members.node("inputs"), of: model, size: size)
    let question = Question(
      model: model, inputs: InputBatch(sequences: sequences, isArray: true, isFlat: size == 1),
      selection: .last, horizon: horizon)
    try question.inputs.checkLengths(with: horizon, path: "options.horizon", for: model)
    return ForecastQuestion(question: question, series: series, quantiles: quantiles)
  }

  /// KServe's `ForecastOptions`. A request without `quantiles` gets all quantiles of the model.
  private func options(
    _ node: Int, of model: ServedModel
  ) throws(Fault) -> (horizon: Int, quantiles: [Int]) {
    guard document.kind(node) == .object else {
      throw Fault(
        BodyError.unexpected(
          path: "options", found: document.found(node), expected: .object(["horizon"])))
    }
    let members = try BodyMembers(
      ["horizon", "quantiles"], others: .allowed, at: node, of: document, path: "options")
    let known = model.graph.forecast?.quantiles ?? []
    var quantiles = Array(known.indices)
    if let node = members["quantiles"] {
      quantiles = try self.quantiles(
        node, path: members.path(of: "quantiles"), among: known, of: model)
    }
    return (
      try document.horizon(
        try members.node("horizon"), path: members.path(of: "horizon"), limit: limits.maxHorizon),
      quantiles
    )
  }

  /// The indices in `known` of the quantiles that an array names, in the array's order.
  private func quantiles(
    _ node: Int, path: String, among known: [Model.Forecast.Quantile], of model: ServedModel
  ) throws(Fault) -> [Int] {
    let found = document.found(node)
    switch found {
    case .array(0): return []
    case .numbers(let count) where known.isEmpty:
      throw Fault(ForecastError.noQuantiles(path: path, model: model.name, found: count))
    case .numbers: break
    default:
      throw Fault(
        BodyError.unexpected(
          path: path, found: found, expected: known.isEmpty ? .emptyOrNull : .levels))
    }
    var places: [Int] = []
    for (index, level) in document.numbers[document.range(node)].enumerated() {
      guard let place = known.firstIndex(where: { $0.level == level }) else {
        throw Fault(
          ForecastError.noQuantile(
            path: "\(path)[\(index)]", model: model.name, found: level.decimal,
            known: known.map(\.text)))
      }
      if !places.contains(place) { places.append(place) }
    }
    return places
  }

  private func inputs(
    _ node: Int, of model: ServedModel, size: Int
  ) throws(Fault) -> (series: [ForecastQuestion.Series], sequences: [InputSequence]) {
    guard document.kind(node) == .array else {
      throw Fault(
        BodyError.unexpected(
          path: "inputs", found: document.found(node), expected: .objects(Self.required)))
    }
    let count = document.count(node)
    guard count > 0 else {
      throw Fault(BodyError.unexpected(path: "inputs", found: .array(0), expected: .element))
    }
    guard count <= limits.maxSequencesPerRequest else {
      throw Fault(
        InputsError.tooMany(
          .sequences, path: "inputs", found: count, limit: limits.maxSequencesPerRequest,
          setting: "max_sequences_per_request"))
    }
    var series: [ForecastQuestion.Series] = []
    var sequences: [InputSequence] = []
    var element = node + 1
    for index in 0..<count {
      let input = try input(element, path: "inputs[\(index)]", of: model, size: size)
      series.append(input.series)
      sequences.append(input.sequence)
      element = document.next(element)
    }
    return (series, sequences)
  }

  /// The required members of an input.
  private static let required = ["type", "series", "frequency"]
  private static let inputMembers = ["type", "name", "series", "frequency", "start_timestamp"]

  /// KServe's `TimeSeriesInput`. Its name is optional here, since nothing depends on it; without one, the answer's is
  /// empty.
  private func input(
    _ node: Int, path: String, of model: ServedModel, size: Int
  ) throws(Fault) -> (series: ForecastQuestion.Series, sequence: InputSequence) {
    guard document.kind(node) == .object else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: document.found(node), expected: .object(Self.required)))
    }
    let members = try BodyMembers(
      Self.inputMembers, others: .allowed, at: node, of: document, path: path)
    let type = try type(members, size: size)
    let name = try members.optionalString("name") ?? ""
    let frequency = try frequency(members)
    let start = try members.optionalString("start_timestamp").map { (text) throws(Fault) in
      guard let start = Timestamp(text) else {
        throw Fault(
          BodyError.unexpected(
            path: members.path(of: "start_timestamp"), found: .string(text), expected: .timestamp))
      }
      return start
    }
    let sequence = try InputDecoder(document: document, model: model, limits: limits)
      .sequence(
        try members.node("series"), type == .univariate ? .flat : .steps(of: size),
        InputPath(members.path(of: "series")))
    // A forecast starts one step after the last step of its series, as in KServe's server:
    // python/huggingfaceserver/huggingfaceserver/time_series_model.py.
    let forecastStart = try start.map { (start) throws(Fault) in
      guard let later = start.advanced(by: sequence.stepCount, frequency) else {
        throw Fault(ForecastError.afterLastYear(path: members.path(of: "start_timestamp")))
      }
      return later
    }
    return (
      ForecastQuestion.Series(type: type, name: name, frequency: frequency, start: forecastStart),
      sequence
    )
  }

  private func type(
    _ members: BodyMembers, size: Int
  ) throws(Fault) -> ForecastQuestion.SeriesType {
    let (path, found) = (members.path(of: "type"), try members.string("type"))
    guard let type = ForecastQuestion.SeriesType(rawValue: found) else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: .string(found),
          expected: .oneOf(ForecastQuestion.SeriesType.allCases.map(\.rawValue))))
    }
    let expected: ForecastQuestion.SeriesType = size == 1 ? .univariate : .multivariate
    guard type == expected else {
      throw Fault(
        BodyError.unexpected(
          path: path, found: .string(found), expected: .seriesType(expected.rawValue, size: size)))
    }
    return type
  }

  private func frequency(_ members: BodyMembers) throws(Fault) -> Frequency {
    let found = try members.string("frequency")
    guard let frequency = Frequency(found) else {
      throw Fault(
        BodyError.unexpected(
          path: members.path(of: "frequency"), found: .string(found),
          expected: .oneOf(Frequency.names)))
    }
    return frequency
  }
}
