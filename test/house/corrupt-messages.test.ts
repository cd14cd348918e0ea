// What a user does about damage depends on what the message says: every message of LIGHTNING_CORRUPT that the sources can
// make stands in the table of docs/operations.md.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root, tablesOf } from './layout.ts'

/** Functions that make messages: which of their arguments is the text, and what they make of it. */
const makers: ReadonlyMap<string, readonly [argument: number, message: (text: string) => string]> = new Map([
  ['corrupt', [0, (text: string) => text]],
  ['#corrupt', [0, (text: string) => `Page … of … ${text}.`]],
  ['damaged', [1, (text: string) => `${text} is damaged (byte … of …).`]],
  ['claim', [0, (text: string) => `${text === 'Page' ? 'Page …' : text} is damaged (byte … of …).`]],
  ['impossible', [1, (text: string) => `The log tells of ${text}, which cannot be.`]]
])

// What verify finds it reports, and has a table of its own.
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  name => name.endsWith('.ts') && !name.includes('generated') && !/[\\/]verify[\w-]*\.ts$/.test(name)
)

const names = /(?:data|wal-[01…])\.ldb/g

/** Texts that an expression can give; what is filled in is `…`, and so are the names of files. */
function textsOf(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text.replaceAll(names, '…')]
  if (ts.isTemplateExpression(node)) {
    const text = node.head.text + node.templateSpans.map(span => `…${span.literal.text}`).join('')
    // What is put together from other texts alone is no message of its own.
    return /\p{L}/u.test(text) ? [text] : []
  }
  if (ts.isConditionalExpression(node)) {
    return [...textsOf(node.whenTrue, constants), ...textsOf(node.whenFalse, constants)]
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const ends = textsOf(node.right, constants)
    return textsOf(node.left, constants).flatMap(begin => ends.map(end => begin + end))
  }
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, constants)
  const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined
  return constant === undefined ? [] : textsOf(constant, constants)
}

/** The messages that a source can make. */
function messagesIn(text: string): string[] {
  const constants = new Map<string, ts.Expression>()
  const messages: string[] = []
  const visit = (node: ts.Node): void => {
    // What only passes a text on is counted where the text comes from.
    if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && makers.has(node.name?.getText() ?? ''))
      return
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      constants.set(node.name.text, node.initializer)
    }
    if (ts.isNewExpression(node)) {
      const [code, message] = node.arguments ?? []
      if (code !== undefined && ts.isStringLiteral(code) && code.text === 'LIGHTNING_CORRUPT' && message !== undefined)
        messages.push(...textsOf(message, constants))
    }
    if (ts.isCallExpression(node)) {
      const { expression: callee } = node
      const [at, message] =
        makers.get(ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText()) ?? []
      const argument = at === undefined ? undefined : node.arguments[at]
      if (argument !== undefined && message !== undefined) messages.push(...textsOf(argument, constants).map(message))
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true))
  return messages
}

const all = sources.flatMap(name => messagesIn(readFileSync(join(root, 'src', name), 'utf8')))

/** The messages that the table names, as they stand there between asterisks. */
const named = (tablesOf('docs/operations.md').get('The database does not open') ?? [])
  .filter(table => table[0]?.[0]?.includes('LIGHTNING_CORRUPT') === true)
  .flatMap(table => table.slice(1))
  .flatMap(([first = '']) => Array.from(first.matchAll(/\*([^*]+)\*/g), ([, phrase = '']) => phrase))

function saysThat(message: string, phrase: string): boolean {
  const parts = phrase.replaceAll(names, '…').split('…')
  return new RegExp(parts.map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')).test(message)
}

test('every message of LIGHTNING_CORRUPT is in the table of what to do about it', () => {
  expect(all.length).toBeGreaterThan(20)
  expect(all.filter(message => !named.some(phrase => saysThat(message, phrase)))).toEqual([])
})

test('that table names no message that there is not', () => {
  expect(named.filter(phrase => !all.some(message => saysThat(message, phrase)))).toEqual([])
})

test('a message that is missing would be noticed', () => {
  expect(messagesIn("throw corrupt('The moon of ' + 'data.ldb' + ' is ' + (c ? 'full' : 'new') + '.')")).toEqual([
    'The moon of … is full.',
    'The moon of … is new.'
  ])
  expect(named.some(phrase => saysThat('The moon of … is new.', phrase))).toBe(false)
})
