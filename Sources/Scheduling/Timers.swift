import Dispatch

/// The serial queue of the module's timers, whose handlers do little. It has a thread of its own, so that no timer is
/// late because other work occupies Dispatch's shared threads.
let timers = DispatchQueue(label: "timers", qos: .userInitiated)
