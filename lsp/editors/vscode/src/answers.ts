// The answers of the server's own methods, dspi/renderPrompt, dspi/schema and
// dspi/plan, as far as the preview shows them.

export interface PromptAnswer {
  readonly program: string;
  readonly step: string;
  readonly adapter: string; // "" without messages
  readonly messages: { readonly role: string; readonly content: unknown }[];
  readonly note?: string; // what is to be known beside the messages, or in place of them
}

export interface SchemaAnswer {
  readonly name: string;
  readonly schema: unknown;
  readonly notes: unknown[] | null;
}

export interface PlanAnswer {
  readonly program: string;
  readonly plan: Plan;
  readonly inputs?: Wanted[];
}

/** An input that a run wants to be given. */
export interface Wanted {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description?: string;
  readonly default?: unknown;
}

export interface Plan {
  readonly inputs: Named[] | null;
  readonly ops: Op[] | null;
  readonly outputs: Bound[] | null;
}

export interface Named {
  readonly name: string;
  readonly type: string;
}

/** A name that gets its value from an expression. */
export interface Bound {
  readonly name: string;
  readonly from: string;
}

export interface Op {
  readonly name: string;
  readonly kind: string;
  readonly module?: string;
  readonly wave: number;
  readonly after: string[] | null;
  readonly inputs: Bound[] | null;
  readonly flow?: string[];
  readonly plan?: Plan; // of a round of a repeat
  readonly holds?: Op[]; // what a wrapping module holds
}

/** A part of the preview: what the server answered, or why it could not. */
export type Part<T> = { value: T } | { missing: string };

/** What the panel shows of one position. */
export interface Preview {
  readonly title: string;
  readonly step: string;
  readonly prompt: Part<PromptAnswer>;
  readonly schema: Part<SchemaAnswer>;
  readonly plan: Part<PlanAnswer>;
}
