import Scheduling

extension Sessions {
  /// The refusal for the client of `model`: a session of another model that had this name before is gone, not unknown.
  package func refusal(
    _ refusal: SessionRefusal, of model: ServedModel, among models: ModelSnapshot
  ) -> SessionRefusal {
    let id: String
    switch refusal {
    case .unknown(let unknown), .unknownSource(let unknown, _): id = unknown
    default: return refusal
    }
    let former = models.former.filter { $0.name == model.name }
    let isOfFormer =
      !former.isEmpty
      && withTable { table in
        former.contains { table.has(.init(model: $0.fingerprint.text, id: id)) }
      }
    return isOfFormer ? .gone(id, .otherModel) : refusal
  }
}
