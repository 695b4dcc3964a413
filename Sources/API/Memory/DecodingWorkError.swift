import Serving

/// Finding the labels of an answer would take more operations than `max_decoding_operations` allows.
struct DecodingWorkError: FaultSource, Equatable {
  let operations: Int
  let limit: Int

  var kind: Fault.Kind { .tooLarge }

  var sentence: String {
    "finding the labels of the answer would take about \(operations) operations, at most \(limit) are allowed "
      + "(max_decoding_operations); \"answer\": [\"outputs\"] leaves them out"
  }
}
