import HTTPCore
import JSON
import Serving

/// Writes faults in the form that KServe clients read: `ErrorResponse` of the schema that `ForecastEncoder` names.
enum ForecastErrorEncoder {
  /// `message` is the sentence that other endpoints give as `error`; status and fields are the same as there.
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
    // As in KServe: BadRequestError.
    writer.string(
      response.status.reason.filter { $0 != " " }
        + (response.status == .internalServerError ? "" : "Error"))
    writer.raw("}}\n")
    response.body = writer.bytes
    return response
  }
}
