export function machineState(): {
  processor: string;
  cores: number;
  platform: string;
  memoryGiB: number;
  load: number;
};
export function programVersion(name: string, program: string): string;
