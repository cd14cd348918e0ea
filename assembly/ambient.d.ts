// The kernel's number types as TypeScript sees them when it checks and builds the JavaScript twin.
type i32 = number
type u32 = number
type bool = boolean
