import { useParams } from 'react-router';

/** A parameter of the route that is shown; its route has it, or it is a mistake of ours. */
export function useRouteParam(name: string): string {
  const value = useParams()[name];
  if (value === undefined) {
    throw new Error(`this route has no parameter ${name}`);
  }
  return value;
}
