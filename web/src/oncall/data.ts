import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import type { components } from '../api/openapi';
import type { List } from '../api/types';

type Shapes = components['schemas'];
export type Schedule = Shapes['OnCallSchedule'];
export type ScheduleDetail = Shapes['OnCallScheduleDetail'];
export type Shift = Shapes['OnCallShift'];
export type Rotation = Shapes['Rotation'];
export type EscalationPolicy = Shapes['EscalationPolicy'];

// Every key begins with what the server's events begin with (oncall.updated), so
// that a change is seen at once; the round of a minute is for shifts that pass.
const minute = 60_000;

export function useSchedules() {
  return useQuery({ queryKey: ['oncall'], queryFn: async ({ signal }) => (await api.get<List<Schedule>>('/on-call', undefined, signal)).items, refetchInterval: minute });
}

export function useSchedule(name: string, days: number) {
  return useQuery({ queryKey: ['oncall', name, days], queryFn: ({ signal }) => api.get<ScheduleDetail>(schedulePath(name), { days }, signal), refetchInterval: minute });
}

export function useEscalations() {
  return useQuery({ queryKey: ['oncall', 'policies'], queryFn: async ({ signal }) => (await api.get<List<EscalationPolicy>>('/escalation-policies', undefined, signal)).items, refetchInterval: minute });
}

export const schedulePath = (name: string) => `/on-call/${encodeURIComponent(name)}`;

/** Stretch is a shift as a part of a strip: where it begins and how long it is, in percent. */
export interface Stretch {
  shift: Shift;
  left: number;
  width: number;
}

/** stretches lays shifts out between two moments; what lies outside is cut or left out. */
export function stretches(shifts: Shift[], from: number, to: number): Stretch[] {
  const all = to - from;
  if (all <= 0) return [];
  return shifts.flatMap((shift) => {
    const begin = Math.max(from, Date.parse(shift.from));
    const end = Math.min(to, Date.parse(shift.to));
    return end > begin ? [{ shift, left: ((begin - from) / all) * 100, width: ((end - begin) / all) * 100 }] : [];
  });
}

/** rotationWords says a rotation as one reads it aloud. */
export function rotationWords(r: Rotation): string {
  const every = r.every === 'week' ? 'by the week' : r.every === 'day' ? 'by the day' : `every ${r.every}`;
  return [every, r.days?.length ? `on ${r.days.join(', ')}` : '', r.hours ? `within ${r.hours}` : ''].filter(Boolean).join(' ');
}

/** peopleOf are those whom schedules name, once each. */
export function peopleOf(schedules: Schedule[]): string[] {
  return [...new Set(schedules.flatMap((s) => s.rotations.flatMap((r) => r.people)))].sort();
}
