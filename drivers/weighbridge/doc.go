// Package weighbridge weighs vehicles at rest on a static scale whose indicator the site reads, when a person says which vehicle stands
// there. A weight counts when nothing has moved for a while: the indicator's own word that it is stable is needed where it gives one, and
// is not enough.
//
// A weighing is a transaction, as one of a toll or checkpoint system: committed at the site, linked there to the passage of the same
// vehicle, and evidence of nothing but itself.
package weighbridge
