export function machineState(): {
  processor: string;
  cores: number;
  platform: string;
  memoryGiB: number;
  load: number;
};
