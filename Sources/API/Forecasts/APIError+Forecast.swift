import HTTPCore
import JSON

extension APIError {
  /// The error as a KServe client reads it: `ErrorResponse` of the schema that `ForecastEncoder` names.
  ///
  /// Its message is the sentence that other endpoints give as `error`; status and fields are the same.
  var forecastResponse: HTTPResponse {
    var response = self.response
    var writer = JSONWriter()
    writer.raw(#"{"error":{"code":"#)
    writer.string(String(status.code))
    writer.raw(#","message":"#)
    writer.string(description)
    writer.raw(#","param":"#)
    writer.optional(parameter)
    writer.raw(#","type":"#)
    // KServe's own: BadRequestError.
    writer.string(
      status.reason.filter { $0 != " " }
        + (status == .internalServerError ? "" : "Error"))
    writer.raw("}}\n")
    response.body = writer.bytes
    return response
  }

  /// The member of the body that is at fault, where the error names one.
  private var parameter: String? {
    switch self {
    case .tooDeep(let path, _), .notFinite(let path, _), .mixed(let path, _), .missing(let path, _),
      .duplicate(let path), .unexpected(let path, _, _), .tooMany(_, let path, _, _, _),
      .noQuantiles(let path, _, _), .afterLastYear(let path), .input(let path, _):
      path
    case .noSuchModel, .noTimeSeries: "model"
    case .unknown(let name, let path, _):
      (path.map { "\($0)." } ?? "") + name.prefix(maxQuotedCharacters)
    default: nil
    }
  }
}
