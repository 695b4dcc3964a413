import HTTPCore
import JSON
import Serving

/// Writes faults as a KServe client reads them: `ErrorResponse` of the schema that `ForecastEncoder` names.
enum ForecastErrorEncoder {
  /// Its message is the sentence that other endpoints give as `error`; status and fields are the same.
  static func response(to fault: Fault) -> HTTPResponse {
    var response = fault.response
    var writer = JSONWriter()
    writer.raw(#"{"error":{"code":"#)
    writer.string(String(response.status.code))
    writer.raw(#","message":"#)
    writer.string(fault.sentence)
    writer.raw(#","param":"#)
    writer.optional(fault.parameter)
    writer.raw(#","type":"#)
    // KServe's own: BadRequestError.
    writer.string(
      response.status.reason.filter { $0 != " " }
        + (response.status == .internalServerError ? "" : "Error"))
    writer.raw("}}\n")
    response.body = writer.bytes
    return response
  }
}
