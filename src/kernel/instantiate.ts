/** Gives a module made by AssemblyScript the imports that it may expect, and an instance. */
export { instantiate } from '@assemblyscript/loader'
