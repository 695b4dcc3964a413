import Dispatch

/// The queue of the module's timers, which do little: a thread of their own, so that none is late because others compute
/// on Dispatch's shared threads.
let timers = DispatchQueue(label: "timers", qos: .userInitiated)
