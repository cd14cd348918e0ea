// Puts a counter into every branch of a source: the way fuzzing finds out that an input did something new.
import ts from 'typescript'

/** Counters given so far, over all files of a bundle. */
export interface CounterNumbers {
  next: number
}

interface Insertion {
  readonly at: number
  readonly text: string
}

/** The source with `__e[n]++` at the start of everything that may or may not run. */
export function instrument(source: string, numbers: CounterNumbers): string {
  const insertions: Insertion[] = []
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS)

  const count = () => `__e[${numbers.next++}]++`
  const insert = (at: number, text: string) => void insertions.push({ at, text })
  const wrap = (node: ts.Node, before: string, after: string) => {
    insert(node.getStart(file), before)
    visit(node)
    insert(node.getEnd(), after)
  }
  const wrapStatement = (node: ts.Statement, after = '}') => wrap(node, `{${count()};`, after)
  const wrapExpression = (node: ts.Expression) => wrap(node, `(${count()},`, ')')

  function visit(node: ts.Node): void {
    if (ts.isIfStatement(node)) {
      visit(node.expression)
      if (node.elseStatement === undefined) wrapStatement(node.thenStatement, `} else ${count()};`)
      else {
        wrapStatement(node.thenStatement)
        wrapStatement(node.elseStatement)
      }
      return
    }
    if (ts.isIterationStatement(node, false)) {
      ts.forEachChild(node, child => (child === node.statement ? wrapStatement(node.statement) : visit(child)))
      return
    }
    if (ts.isConditionalExpression(node)) {
      visit(node.condition)
      wrapExpression(node.whenTrue)
      wrapExpression(node.whenFalse)
      return
    }
    if (ts.isBinaryExpression(node) && isShortCircuit(node.operatorToken.kind)) {
      visit(node.left)
      wrapExpression(node.right)
      return
    }
    if (ts.isCaseOrDefaultClause(node)) {
      const colon = node.statements.pos
      insert(colon, `${count()};`)
    } else if (ts.isCatchClause(node)) insert(node.block.getStart(file) + 1, `${count()};`)
    else if (ts.isFunctionLike(node) && !ts.isConstructorDeclaration(node)) {
      const body = 'body' in node ? node.body : undefined
      // One statement is no more than its call says.
      if (body !== undefined && ts.isBlock(body) && body.statements.length > 1) {
        insert(body.getStart(file) + 1, `${count()};`)
      }
    }
    ts.forEachChild(node, visit)
  }

  visit(file)
  // The order of insertion at one place is that of nesting, and a stable sort keeps it.
  insertions.sort((a, b) => a.at - b.at)
  let text = ''
  let from = 0
  for (const insertion of insertions) {
    text += source.slice(from, insertion.at) + insertion.text
    from = insertion.at
  }
  return text + source.slice(from)
}

function isShortCircuit(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken
  )
}
