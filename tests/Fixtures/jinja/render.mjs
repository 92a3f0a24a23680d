// Reads [{"template", "values"}, …] on standard input; prints a JSON array of what each renders, or {"error"} where it throws.
import { readFileSync } from 'node:fs';
import { Template } from '@huggingface/jinja';

const render = ({ template, values }) => {
  try {
    return new Template(template).render(values);
  } catch (error) {
    return { error: String(error) };
  }
};
process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(render)));
