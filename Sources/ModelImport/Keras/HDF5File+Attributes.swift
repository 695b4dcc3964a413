import CHDF5

extension HDF5File {
  /// The text of an attribute; nil if there is no such attribute.
  func text(_ attribute: String, of path: String) throws(HDF5Error) -> String? {
    guard let texts = try attributeTexts(attribute, of: path) else { return nil }
    guard texts.count == 1 else { throw HDF5Error(path: path, problem: .notText) }
    return texts[0]
  }

  /// The texts of an attribute; nil if there is no such attribute. Keras splits attributes that are too long for HDF5 into
  /// `NAME0`, `NAME1`, ….
  func texts(_ attribute: String, of path: String) throws(HDF5Error) -> [String]? {
    if let texts = try attributeTexts(attribute, of: path) { return texts }
    var texts: [String]?
    for part in 0..<Self.maxMembers {
      guard let more = try attributeTexts("\(attribute)\(part)", of: path) else { break }
      texts = (texts ?? []) + more
      guard texts?.count ?? 0 <= Self.maxMembers else { break }
    }
    return texts
  }

  private func attributeTexts(
    _ attribute: String, of path: String
  ) throws(HDF5Error) -> [String]? {
    try read(path) { object throws(HDF5Error) in
      guard unsafe H5Aexists(object, attribute) > 0 else { return nil }
      let handle = unsafe H5Aopen(object, attribute, 0)
      guard handle >= 0 else { throw HDF5Error(path: path, problem: .unreadable) }
      defer { H5Aclose(handle) }
      let space = H5Aget_space(handle)
      defer { H5Sclose(space) }
      let count = try shape(of: space, path: path).reduce(1, *)
      guard count <= Self.maxMembers else {
        throw HDF5Error(path: path, problem: .tooMany(count, limit: Self.maxMembers))
      }
      // NumPy gives an empty array of texts a numeric type.
      guard count > 0 else { return [] }
      let type = H5Aget_type(handle)
      defer { H5Tclose(type) }
      guard H5Tget_class(type) == H5T_STRING else {
        throw HDF5Error(path: path, problem: .notText)
      }
      return H5Tis_variable_str(type) > 0
        ? try variableTexts(handle, type: type, space: space, count: count, path: path)
        : try fixedTexts(handle, type: type, count: count, path: path)
    }
  }

  /// Texts of variable length, which libhdf5 allocates.
  private func variableTexts(
    _ handle: hid_t, type: hid_t, space: hid_t, count: Int, path: String
  ) throws(HDF5Error) -> [String] {
    let memory = H5Tcopy(type)
    defer { H5Tclose(memory) }
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    // SAFETY: the array has a pointer for each text. The texts that libhdf5 allocates end with a zero, and are freed
    // below.
    let texts = unsafe pointers.withUnsafeMutableBytes { buffer -> [String]? in
      guard unsafe H5Aread(handle, memory, buffer.baseAddress) >= 0 else { return nil }
      defer { unsafe H5Dvlen_reclaim(memory, space, 0, buffer.baseAddress) }
      return unsafe buffer.bindMemory(to: UnsafeMutablePointer<CChar>?.self).map {
        unsafe $0.map { unsafe String(cString: $0) } ?? ""
      }
    }
    guard let texts else { throw HDF5Error(path: path, problem: .unreadable) }
    return texts
  }

  /// Texts of fixed length, padded with zeros or spaces.
  private func fixedTexts(
    _ handle: hid_t, type: hid_t, count: Int, path: String
  ) throws(HDF5Error) -> [String] {
    let length = H5Tget_size(type)
    guard length > 0, length <= Self.maxTextBytes / count else {
      throw HDF5Error(path: path, problem: .tooLarge(limit: Self.maxTextBytes))
    }
    var bytes = [UInt8](repeating: 0, count: length * count)
    // SAFETY: the array has as many bytes as the attribute, in whose own type it is read.
    let status = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe H5Aread(handle, type, buffer.baseAddress)
    }
    guard status >= 0 else { throw HDF5Error(path: path, problem: .unreadable) }
    return (0..<count).map { index in
      let text = bytes[(index * length)..<((index + 1) * length)].prefix { $0 != 0 }
      return String(decoding: text, as: UTF8.self)
    }
  }
}
