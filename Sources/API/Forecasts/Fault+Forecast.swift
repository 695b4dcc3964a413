import HTTPCore
import JSON
import Serving

extension Fault {
  /// The fault as a KServe client reads it: `ErrorResponse` of the schema that `ForecastEncoder` names.
  ///
  /// Its message is the sentence that other endpoints give as `error`; status and fields are the same.
  var forecastResponse: HTTPResponse {
    var response = self.response
    var writer = JSONWriter()
    writer.raw(#"{"error":{"code":"#)
    writer.string(String(status.code))
    writer.raw(#","message":"#)
    writer.string(sentence)
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
}
